// What `coi shell` says and does when its terminal has ended. coid finishes what stopped; this only watches and tells.
import type { App } from '../app.ts';
import type { BridgeEnd } from '../host/terminal.ts';
import type { ContainerName } from '../names.ts';
import { type Outcome, outcomeOf } from '../session/end.ts';

export interface Leaving {
  readonly container: ContainerName;
  readonly reservation: string;
  readonly storeDir: string | undefined;
  readonly slot: number;
}

/** Exactly once at the end of `coi shell`, however it ended. */
export async function leave(app: App, leaving: Leaving, end: BridgeEnd): Promise<void> {
  const { io } = app;
  if (end.kind === 'interrupted') io.tell('\nReceived interrupt signal, cleaning up...');
  io.tell('\nCleaning up session...');
  if (leaving.storeDir !== undefined)
    io.tell(
      `[cleanup] Saving session data to ${leaving.storeDir}\n[cleanup] Session data saved successfully`,
    );
  const incus = await app.incus();
  const left = end.kind === 'interrupted' || (end.kind === 'exited' && end.status === 0);
  // The program's own signal may have fired already: what follows must run nevertheless.
  const outcome = await outcomeOf(
    incus,
    leaving.container,
    leaving.reservation,
    left,
    new AbortController().signal,
  );
  for (const line of words(outcome, leaving.container)) io.tell(`[cleanup] ${line}`);
}

function words(outcome: Outcome, container: string): string[] {
  switch (outcome.kind) {
    case 'running':
      return [
        `Container kept running - use 'coi attach ${container}' to reconnect, 'coi shutdown ${container}' to stop, or 'coi kill ${container}' to force stop`,
      ];
    case 'frozen':
      return [
        `Container is paused - use 'coi unfreeze ${container}' to let it go on, or 'coi kill ${container}' to force stop`,
      ];
    case 'kept':
      return [
        'Container was stopped, keeping it (persistent) - `coi shell` in the same workspace starts it again',
      ];
    case 'removed':
      return [
        'Container was stopped, removing...',
        'Container removed (session data saved for --resume)',
      ];
    case 'gone':
      return ['Container was already removed'];
    case 'unknown':
      return ['Incus does not answer, so nothing was touched; `coi list` shows what is left'];
    default:
      return outcome satisfies never;
  }
}
