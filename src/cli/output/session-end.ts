// What `coi shell` says and does when its terminal has ended. coid finishes what stopped; this only watches and tells.
import { markSaved } from '../../app/end-sessions/note-end.ts';
import {
  endOfTerminal,
  isOver,
  type Leaving,
  type Left,
} from '../../app/terminal/end-of-terminal.ts';
import { CoiError } from '../../errors.ts';
import type { BridgeEnd } from '../../host/terminal/terminal-bridge.ts';
import type { App } from '../app.ts';
import type { Io } from '../ui/io.ts';
import { stepProgress } from '../ui/progress.ts';
import { endingLine, leftBy } from '../ui/story.ts';
import { tellHandoff } from './handoff-summary.ts';
import { resumeWords } from './resume-command.ts';

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
  const { container, workspace } = leaving;
  const { outcome, removal } = await endOfTerminal(app, leaving, end, (title, work) =>
    waited(io, title, work),
  );
  if (io.brief) {
    const kind = removal === 'runs' ? 'running' : outcome.kind;
    const problem = typeof removal === 'object' ? removal.problem : undefined;
    const resume = resumeOf(app, leaving);
    const line = endingLine({ container, outcome: kind, left: leftBy(end), resume, problem });
    io.tell(kind === 'unknown' || problem !== undefined ? line : io.storyStyle.dim(line));
  }
  if (isOver(outcome) && workspace !== undefined) await tellHandoff(app, { workspace, container });
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
