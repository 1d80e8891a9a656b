// Reports a started session before its terminal opens, in the predecessor's words, for scripts.
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import type { StartedSession } from './open-session.ts';

export function reportStart(
  { report }: AppContext,
  { mode }: Pick<OpenSessionRequest, 'mode'>,
  { selected: { choice, resolved }, live, tmux }: StartedSession,
): void {
  report.detail(`[setup] Container name: ${live.container}`);
  if (resolved.settings['security.disable_protection'])
    report.info(
      '*** SECURITY: nothing in the workspace is protected ([security] disable_protection) ***',
    );
  report.detail('[setup] Container setup complete!\n\nStarting session...');
  if (live.session !== undefined) report.detail(`Session ID: ${live.session}`);
  report.detail(`Container: ${live.container}\nWorkspace: ${live.workspace}`);
  report.detail(
    `Mode: ${mode === 'background' ? 'Background (tmux)' : tmux ? 'Interactive (tmux)' : 'Direct (no tmux)'}`,
  );
  if (choice.kind === 'resume' || choice.kind === 'restart') {
    const container = choice.kind === 'restart' ? 'same container' : 'new container';
    const conversation =
      live.conversation === 'resume' ? 'conversation resumed' : 'new conversation';
    report.detail(`Resume mode: ${container}, ${conversation}`);
  }
  report.detail('');
}
