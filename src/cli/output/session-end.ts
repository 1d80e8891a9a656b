// What `coi shell` says and does when its terminal has ended. coid finishes what stopped; this only watches and tells.
import { markSaved } from '../../app/end-sessions/note-end.ts';
import { CoiError } from '../../errors.ts';
import type { BridgeEnd } from '../../host/terminal/terminal-bridge.ts';
import type { Incus } from '../../incus/client.ts';
import type { ContainerName, SessionId } from '../../names.ts';
import { deleteStopped } from '../../session/lifecycle/end-container.ts';
import { goneWithin, type Outcome, outcomeOf } from '../../session/lifecycle/outcome.ts';
import type { App } from '../app.ts';
import type { Io } from '../ui/io.ts';
import { stepProgress } from '../ui/progress.ts';
import { endingLine, leftBy } from '../ui/story.ts';
import { tellHandoff } from './handoff-summary.ts';
import { resumeWords } from './resume-command.ts';

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

/** Exactly once at the end of `coi shell`, however it ended. */
export async function leave(app: App, leaving: Leaving, end: BridgeEnd): Promise<void> {
  const { io } = app;
  if (end.kind === 'interrupted') io.detail('\nReceived interrupt signal, cleaning up...');
  io.detail('\nCleaning up session...');
  if (leaving.store) save(app, leaving.store);
  await tellOutcome(app, leaving, end);
}

/** What became of the container when a terminal on it has ended. */
export async function tellOutcome(app: App, leaving: Left, end: BridgeEnd): Promise<void> {
  const { io } = app;
  const { container, workspace, reservation } = leaving;
  const incus = await app.incus();
  const left = end.kind === 'interrupted' || (end.kind === 'exited' && end.status === 0);
  const outcome = await waited(io, `Waiting for the end of ${container}`, () =>
    // The program's own signal may have fired already: what follows must run nevertheless.
    outcomeOf(incus, container, reservation, left, new AbortController().signal),
  );
  io.detail(`[cleanup] ${words(outcome, container)}`);
  const removal =
    outcome.kind === 'removed'
      ? await waited(io, `Removing ${container}`, () => removed(incus, leaving))
      : undefined;
  if (removal) io.detail(`[cleanup] ${removalWords(removal, container)}`);
  if (io.brief) {
    const kind = removal === 'runs' ? 'running' : outcome.kind;
    const problem = typeof removal === 'object' ? removal.problem : undefined;
    const resume = resumeOf(app, leaving);
    const line = endingLine({ container, outcome: kind, left: leftBy(end), resume, problem });
    io.tell(kind === 'unknown' || problem !== undefined ? line : io.storyStyle.dim(line));
  }
  const over = ['removed', 'kept', 'gone'].includes(outcome.kind);
  if (over && workspace !== undefined) await tellHandoff(app, { workspace, container });
}

/** A line of progress for a person, where it takes longer than half a second. */
async function waited<T>(io: Io, title: string, work: () => Promise<T>): Promise<T> {
  if (!io.brief) return work();
  const progress = stepProgress(io);
  progress.tell({ kind: 'started', name: 'leave', title });
  return work().finally(progress.clear);
}

function resumeOf(app: App, { store, workspace, alias }: Left): string | undefined {
  if (!store || workspace === undefined) return undefined;
  return resumeWords(app, { session: store.session, workspace, alias });
}

type Removal = 'done' | 'runs' | { readonly problem: string };

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

/** The agent's files are on the host already; only the time is written. */
function save(app: App, { dir, session, tool }: NonNullable<Leaving['store']>): void {
  app.report.detail(`[cleanup] Saving session data to ${dir}`);
  try {
    if (markSaved(app, session, tool))
      app.report.detail('[cleanup] Session data saved successfully');
    else app.report.warn(`${dir} has no metadata of this session any more`);
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    app.report.warn(`the time of the session could not be noted: ${error.message}`);
  }
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
