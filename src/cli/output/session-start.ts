// What is said before a session's terminal opens: one line on a terminal, the predecessor's story elsewhere.
import type { LiveSession } from '../../app/open-session/live-session.ts';
import type { StartedSession } from '../../app/open-session/open-session.ts';
import type { SelectedSession } from '../../app/open-session/select-session.ts';
import type { OpenSessionRequest } from '../../app/requests.ts';
import type { App } from '../app.ts';
import { beginningLine } from '../ui/story.ts';

export function announce(
  { io }: App,
  request: OpenSessionRequest,
  { selected, live, tmux }: StartedSession,
): void {
  const isBackground = request.mode === 'background';
  const { choice, resolved } = selected;
  io.detail(`[setup] Container name: ${live.container}`);
  if (resolved.settings['security.disable_protection'])
    io.tell(
      '*** SECURITY: nothing in the workspace is protected ([security] disable_protection) ***',
    );
  io.detail('[setup] Container setup complete!\n\nStarting session...');
  if (live.session !== undefined) io.detail(`Session ID: ${live.session}`);
  io.detail(`Container: ${live.container}\nWorkspace: ${live.workspace}`);
  io.detail(
    `Mode: ${isBackground ? 'Background (tmux)' : tmux ? 'Interactive (tmux)' : 'Direct (no tmux)'}`,
  );
  if (choice.kind === 'resume' || choice.kind === 'restart') {
    const kept = choice.kind === 'restart' ? 'same container' : 'new container';
    const conversation =
      live.conversation === 'resume' ? 'conversation goes on' : 'new conversation';
    io.detail(`Resume mode: ${kept}, ${conversation}`);
  }
  io.detail('');
  if (!io.brief) return;
  const line = beginningLine(
    begun(request, selected, live, tmux || isBackground),
    io.columns.story,
  );
  io.tell(io.storyStyle.dim(line));
}

function begun(
  { debug }: OpenSessionRequest,
  { choice, resolved, persistent }: SelectedSession,
  live: LiveSession,
  tmux: boolean,
): Parameters<typeof beginningLine>[0] {
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
    again: choice.kind === 'restart',
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
