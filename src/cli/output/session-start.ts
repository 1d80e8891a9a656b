// The output before a session's terminal opens: one line on a terminal, else the lines of the predecessor.
import type { LiveSession } from '../../app/open-session/live-session.ts';
import type { StartedSession } from '../../app/open-session/open-session.ts';
import { reportStart } from '../../app/open-session/report-start.ts';
import type { SelectedSession } from '../../app/open-session/select-session.ts';
import type { OpenSessionRequest } from '../../app/requests.ts';
import type { App } from '../app.ts';
import { startLine } from '../ui/session-lines.ts';

export function announceStart(
  app: App,
  request: OpenSessionRequest,
  started: StartedSession,
): void {
  const { io } = app;
  const { selected, live, tmux } = started;
  const isBackground = request.mode === 'background';
  reportStart(app, request, started);
  if (!io.briefStderr) return;
  const line = startLine(
    sessionStartOf(request, selected, live, tmux || isBackground),
    io.columns.stderr,
  );
  io.info(io.stderrStyle.dim(line));
}

function sessionStartOf(
  { debug }: OpenSessionRequest,
  { choice, resolved, persistent }: SelectedSession,
  live: LiveSession,
  tmux: boolean,
): Parameters<typeof startLine>[0] {
  const { settings } = resolved;
  const joined = choice.kind === 'join' ? choice.container : undefined;
  const resumed = choice.kind === 'resume' || (choice.kind === 'restart' && choice.saved);
  return {
    agent: debug ? 'bash' : settings['tool.name'],
    container: live.container,
    alias: (joined ? joined.session?.alias : settings['container.alias']) || undefined,
    slot: live.slot,
    network: joined ? joined.session?.network : settings['network.mode'],
    persistent: joined ? (joined.session?.persistent ?? true) : persistent,
    tmux,
    restarted: choice.kind === 'restart',
    resumed: !resumed ? 'no' : live.conversation === 'resume' ? 'conversation' : 'new-conversation',
  };
}

export function startedJson(
  { selected, live }: StartedSession,
  tmuxName: string,
): Record<string, unknown> {
  const { container, slot, session, workspace } = live;
  const { choice, persistent } = selected;
  return {
    container,
    ...(slot === undefined ? {} : { slot }),
    ...(session === undefined ? {} : { session_id: session }),
    tmux_session: tmuxName,
    workspace,
    persistent,
    resumed: choice.kind === 'resume' || (choice.kind === 'restart' && choice.saved !== undefined),
  };
}
