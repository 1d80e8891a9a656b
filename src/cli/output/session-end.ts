// The end of `coi shell`, after its terminal closed. coid cleans up stopped containers; this only waits and reports.
import { markSaved } from '../../app/end-sessions/note-end.ts';
import {
  type EndContext,
  type EndTarget,
  handleTerminalEnd,
  hasEnded,
} from '../../app/terminal/terminal-end.ts';
import { CoiError } from '../../errors.ts';
import type { BridgeEnd } from '../../host/terminal/terminal-bridge.ts';
import type { App } from '../app.ts';
import type { Io } from '../ui/io.ts';
import { endLine, terminalExit } from '../ui/session-lines.ts';
import { stepProgress } from '../ui/step-progress.ts';
import { reportHandoffOf } from './handoff-summary.ts';
import { resumeCommandOf } from './resume-command.ts';

/** Runs exactly once at the end of `coi shell`, whatever ended it. */
export async function finishShell(app: App, leaving: EndContext, end: BridgeEnd): Promise<void> {
  const { io } = app;
  if (end.kind === 'interrupted') io.detail('\nReceived interrupt signal, cleaning up...');
  io.detail('\nCleaning up session...');
  if (leaving.store) saveTime(app, leaving.store);
  await reportOutcome(app, leaving, end);
}

/** Reports the state of the container after a terminal on it closed. */
export async function reportOutcome(app: App, leaving: EndTarget, end: BridgeEnd): Promise<void> {
  const { io } = app;
  const { container, workspace } = leaving;
  const { outcome, removal } = await handleTerminalEnd(app, leaving, end, (title, work) =>
    withProgress(io, title, work),
  );
  if (io.briefStderr) {
    const kind = removal === 'runs' ? 'running' : outcome.kind;
    const problem = typeof removal === 'object' ? removal.problem : undefined;
    const resume = resumeOf(app, leaving);
    const line = endLine({ container, outcome: kind, exit: terminalExit(end), resume, problem });
    io.info(kind === 'unknown' || problem !== undefined ? line : io.stderrStyle.dim(line));
  }
  if (hasEnded(outcome) && workspace !== undefined)
    await reportHandoffOf(app, { workspace, container });
}

/** Shows progress on a terminal if `work` takes longer than half a second. */
async function withProgress<T>(io: Io, title: string, work: () => Promise<T>): Promise<T> {
  if (!io.briefStderr) return work();
  const progress = stepProgress(io);
  progress.update({ kind: 'started', name: 'leave', title });
  return work().finally(progress.clear);
}

function resumeOf(app: App, { store, workspace, alias }: EndTarget): string | undefined {
  if (!store || workspace === undefined) return undefined;
  return resumeCommandOf(app, { session: store.session, workspace, alias });
}

/** The agent's files are already on the host; only the time is saved. */
function saveTime(app: App, { dir, session, tool }: NonNullable<EndContext['store']>): void {
  app.report.detail(`[cleanup] Saving session data to ${dir}`);
  try {
    if (markSaved(app, session, tool))
      app.report.detail('[cleanup] Session data saved successfully');
    else app.report.warn(`${dir} no longer has metadata of this session`);
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    app.report.warn(`the time of the session could not be saved: ${error.message}`);
  }
}
