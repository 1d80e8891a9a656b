// The outcome for a container after a terminal on it has ended. coid removes stopped containers; this waits for that, and
// removes them if coid is not running.
import { CoiError } from '../../errors.ts';
import type { BridgeEnd } from '../../host/terminal/terminal-bridge.ts';
import type { Incus } from '../../incus/client.ts';
import type { ContainerName, SessionId } from '../../names.ts';
import { deleteStopped } from '../../session/lifecycle/end-container.ts';
import { containerOutcome, type Outcome, waitUntilGone } from '../../session/lifecycle/outcome.ts';
import type { AppContext } from '../context.ts';

export interface EndContext {
  readonly container: ContainerName;
  readonly reservation: string | undefined;
  /** On the host; undefined in a container that coi did not make. */
  readonly workspace: string | undefined;
  /** Its session store; undefined in a container that coi did not make. */
  readonly store:
    | { readonly dir: string; readonly session: SessionId; readonly tool: string }
    | undefined;
  readonly alias: string | undefined;
}

/** The part that is needed to report the end. */
export type EndTarget = Omit<EndContext, 'store'> & {
  readonly store: Pick<NonNullable<EndContext['store']>, 'session'> | undefined;
};

/** Time for coid to delete a stopped container, even on a busy host. */
const coidMs = 5000;

export type Removal = 'done' | 'runs' | { readonly problem: string };

/** `withProgress` shows progress while something takes long. */
export async function handleTerminalEnd(
  app: AppContext,
  target: EndTarget,
  end: BridgeEnd,
  withProgress: <T>(title: string, work: () => Promise<T>) => Promise<T> = (_title, work) => work(),
): Promise<{ readonly outcome: Outcome; readonly removal: Removal | undefined }> {
  const { container, reservation } = target;
  const incus = await app.incus();
  const left = end.kind === 'interrupted' || (end.kind === 'exited' && end.status === 0);
  const outcome = await withProgress(`Waiting for ${container} to end`, () =>
    // Must run even if the program's own signal has already fired.
    containerOutcome(incus, container, reservation, left, new AbortController().signal),
  );
  app.report.detail(`[cleanup] ${outcomeText(outcome, container)}`);
  if (outcome.kind !== 'removed') return { outcome, removal: undefined };
  const removal = await withProgress(`Removing ${container}`, () => awaitRemoval(incus, target));
  app.report.detail(`[cleanup] ${removalText(removal, container)}`);
  return { outcome, removal };
}

/** Whether the session has ended, so that its changes can be reported. */
export function hasEnded({ kind }: Outcome): boolean {
  return ['removed', 'kept', 'gone'].includes(kind);
}

/**
 * Waits until coid has deleted the container; otherwise deletes it, unless it runs again: a slow guest's reboot looks
 * like a stop. `problem`: why it still exists.
 */
async function awaitRemoval(
  incus: Incus,
  { container, reservation }: Pick<EndContext, 'container' | 'reservation'>,
): Promise<Removal> {
  if (await waitUntilGone(incus, container, reservation, coidMs)) return 'done';
  try {
    const ref = { name: container, mountsId: reservation };
    const deleted = await deleteStopped(incus, ref, new AbortController().signal);
    return deleted === 'runs' ? 'runs' : 'done';
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    return { problem: error.message };
  }
}

function removalText(removal: Removal, container: string): string {
  if (removal === 'runs') return outcomeText({ kind: 'running' }, container);
  if (removal === 'done') return 'Container removed (session data saved for --resume)';
  return `Container could not be removed (${removal.problem}); \`coi clean\` tries again`;
}

function outcomeText(outcome: Outcome, container: string): string {
  switch (outcome.kind) {
    case 'running':
      return `Container kept running - use 'coi attach ${container}' to reconnect, 'coi shutdown ${container}' to stop, or 'coi kill ${container}' to force stop`;
    case 'frozen':
      return `Container is paused - use 'coi unfreeze ${container}' to resume it, or 'coi kill ${container}' to force stop`;
    case 'kept':
      return 'Container was stopped, keeping it (persistent) - `coi shell --persistent` in the same workspace starts it again';
    case 'removed':
      return 'Container was stopped, removing...';
    case 'gone':
      return 'Container was already removed';
    case 'unknown':
      return 'Incus does not answer, so nothing was changed; `coi list` shows what is left';
    default:
      return outcome satisfies never;
  }
}
