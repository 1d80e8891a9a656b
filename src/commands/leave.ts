// What `coi shell` says and does when its terminal has ended. coid finishes what stopped; this only watches and tells.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import type { BridgeEnd } from '../host/terminal.ts';
import type { Incus } from '../incus/client.ts';
import type { ContainerName } from '../names.ts';
import { goneWithin, type Outcome, outcomeOf } from '../session/end.ts';
import { deleteStopped } from '../session/remove.ts';
import { tellHandoff } from './handoff-report.ts';
import { markSaved } from './saved.ts';

export interface Leaving {
  readonly container: ContainerName;
  readonly reservation: string | undefined;
  /** On the host; undefined in a container that coi did not make. */
  readonly workspace: string | undefined;
  /** Where its conversation is kept; undefined in a container that coi did not make. */
  readonly store:
    | { readonly dir: string; readonly session: string; readonly tool: string }
    | undefined;
}

/** What coid needs to delete a stopped container, with a busy host in mind. */
const coidMs = 5000;

/** Exactly once at the end of `coi shell`, however it ended. */
export async function leave(app: App, leaving: Leaving, end: BridgeEnd): Promise<void> {
  const { io } = app;
  if (end.kind === 'interrupted') io.tell('\nReceived interrupt signal, cleaning up...');
  io.tell('\nCleaning up session...');
  if (leaving.store) save(app, leaving.store);
  await tellOutcome(app, leaving, end);
}

/** What became of the container when a terminal on it has ended. */
export async function tellOutcome(
  app: App,
  leaving: Pick<Leaving, 'container' | 'reservation' | 'workspace'>,
  end: BridgeEnd,
): Promise<void> {
  const { io } = app;
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
  if (outcome.kind === 'removed')
    for (const line of await removed(incus, leaving)) io.tell(`[cleanup] ${line}`);
  const { container, workspace } = leaving;
  const over = ['removed', 'kept', 'gone'].includes(outcome.kind);
  if (over && workspace !== undefined) await tellHandoff(app, { workspace, container });
}

/** coid deletes it; where coid is away, it is done here, unless it runs again: a slow guest's reboot looks like a stop. */
async function removed(
  incus: Incus,
  { container, reservation }: Pick<Leaving, 'container' | 'reservation'>,
): Promise<string[]> {
  const done = 'Container removed (session data saved for --resume)';
  if (await goneWithin(incus, container, reservation, coidMs)) return [done];
  try {
    const ref = { name: container, mountsId: reservation };
    const deleted = await deleteStopped(incus, ref, new AbortController().signal);
    return deleted === 'runs' ? words({ kind: 'running' }, container) : [done];
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    return [`Container could not be removed (${error.message}); \`coi clean\` tries again`];
  }
}

/** The agent's files are on the host already; only the time is written. */
function save(app: App, { dir, session, tool }: NonNullable<Leaving['store']>): void {
  app.io.tell(`[cleanup] Saving session data to ${dir}`);
  try {
    if (markSaved(app, session, tool)) app.io.tell('[cleanup] Session data saved successfully');
    else app.io.warn(`${dir} has no metadata of this session any more`);
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    app.io.warn(`the time of the session could not be noted: ${error.message}`);
  }
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
        'Container was stopped, keeping it (persistent) - `coi shell --persistent` in the same workspace starts it again',
      ];
    case 'removed':
      return ['Container was stopped, removing...'];
    case 'gone':
      return ['Container was already removed'];
    case 'unknown':
      return ['Incus does not answer, so nothing was touched; `coi list` shows what is left'];
    default:
      return outcome satisfies never;
  }
}
