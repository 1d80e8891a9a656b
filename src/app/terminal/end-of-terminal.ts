// What became of a container when a terminal on it has ended. coid finishes what stopped; this watches, and helps where coid
// is away.
import { CoiError } from '../../errors.ts';
import type { BridgeEnd } from '../../host/terminal/terminal-bridge.ts';
import type { Incus } from '../../incus/client.ts';
import type { ContainerName, SessionId } from '../../names.ts';
import { deleteStopped } from '../../session/lifecycle/end-container.ts';
import { goneWithin, type Outcome, outcomeOf } from '../../session/lifecycle/outcome.ts';
import type { AppContext } from '../context.ts';

export interface Leaving {
  readonly container: ContainerName;
  readonly reservation: string | undefined;
  /** On the host; undefined in a container that coi did not make. */
  readonly workspace: string | undefined;
  /** Where its conversation is kept; undefined in a container that coi did not make. */
  readonly store:
    | { readonly dir: string; readonly session: SessionId; readonly tool: string }
    | undefined;
  readonly alias: string | undefined;
}

/** Of a terminal that is left, what its end is told with. */
export type Left = Omit<Leaving, 'store'> & {
  readonly store: Pick<NonNullable<Leaving['store']>, 'session'> | undefined;
};

/** What coid needs to delete a stopped container, with a busy host in mind. */
const coidMs = 5000;

export type Removal = 'done' | 'runs' | { readonly problem: string };

/** `waited` shows what takes long. */
export async function endOfTerminal(
  app: AppContext,
  leaving: Left,
  end: BridgeEnd,
  waited: <T>(title: string, work: () => Promise<T>) => Promise<T> = (_title, work) => work(),
): Promise<{ readonly outcome: Outcome; readonly removal: Removal | undefined }> {
  const { container, reservation } = leaving;
  const incus = await app.incus();
  const left = end.kind === 'interrupted' || (end.kind === 'exited' && end.status === 0);
  const outcome = await waited(`Waiting for the end of ${container}`, () =>
    // The program's own signal may have fired already: what follows must run nevertheless.
    outcomeOf(incus, container, reservation, left, new AbortController().signal),
  );
  app.report.detail(`[cleanup] ${words(outcome, container)}`);
  if (outcome.kind !== 'removed') return { outcome, removal: undefined };
  const removal = await waited(`Removing ${container}`, () => removed(incus, leaving));
  app.report.detail(`[cleanup] ${removalWords(removal, container)}`);
  return { outcome, removal };
}

/** It has ended, so that what it changed can be told. */
export function isOver({ kind }: Outcome): boolean {
  return ['removed', 'kept', 'gone'].includes(kind);
}

/**
 * coid deletes it; where coid is away, it is done here, unless it runs again: a slow guest's reboot looks like a stop.
 * `problem` is why it is still there.
 */
async function removed(
  incus: Incus,
  { container, reservation }: Pick<Leaving, 'container' | 'reservation'>,
): Promise<Removal> {
  if (await goneWithin(incus, container, reservation, coidMs)) return 'done';
  try {
    const ref = { name: container, mountsId: reservation };
    const deleted = await deleteStopped(incus, ref, new AbortController().signal);
    return deleted === 'runs' ? 'runs' : 'done';
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    return { problem: error.message };
  }
}

function removalWords(removal: Removal, container: string): string {
  if (removal === 'runs') return words({ kind: 'running' }, container);
  if (removal === 'done') return 'Container removed (session data saved for --resume)';
  return `Container could not be removed (${removal.problem}); \`coi clean\` tries again`;
}

function words(outcome: Outcome, container: string): string {
  switch (outcome.kind) {
    case 'running':
      return `Container kept running - use 'coi attach ${container}' to reconnect, 'coi shutdown ${container}' to stop, or 'coi kill ${container}' to force stop`;
    case 'frozen':
      return `Container is paused - use 'coi unfreeze ${container}' to let it go on, or 'coi kill ${container}' to force stop`;
    case 'kept':
      return 'Container was stopped, keeping it (persistent) - `coi shell --persistent` in the same workspace starts it again';
    case 'removed':
      return 'Container was stopped, removing...';
    case 'gone':
      return 'Container was already removed';
    case 'unknown':
      return 'Incus does not answer, so nothing was touched; `coi list` shows what is left';
    default:
      return outcome satisfies never;
  }
}
