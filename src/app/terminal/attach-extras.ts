// Work of `coi attach` after its terminal has opened; loaded only then.
import { CoiError } from '../../errors.ts';
import type { Local } from '../../host/terminal/terminal-bridge.ts';
import { terminalFilter } from '../../host/terminal/terminal-filter.ts';
import { workspacePath } from '../../session/plan/workspace.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { loadRequestConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { ConfigurationRequest } from '../requests.ts';
import { terminalRules } from '../session-spec/make-session-spec.ts';
import { resolveSshAgent, syncSshAgent } from './ssh-agent-forwarding.ts';

export { noteAttached } from '../end-sessions/note-end.ts';
export { showAlerts } from './alerts.ts';

export interface TerminalSettings {
  readonly rules: Local['filter'];
  readonly prefix: string | undefined;
}

/** Rules by the current configuration. If it cannot be read, nothing is allowed, since an agent may have broken it. */
export async function loadTerminalSettings(
  app: AppContext,
  request: ConfigurationRequest,
  { session }: Container,
): Promise<TerminalSettings> {
  // Without a session there is no project, so the user's own configuration applies.
  const workspace = session?.workspace ?? workspacePath(app.user.home, '.');
  const profile = request.profile ?? session?.profile;
  try {
    const { settings } = await loadRequestConfig(app, { ...request, profile }, workspace);
    return {
      rules: terminalFilter(terminalRules(settings)),
      prefix: settings['shell.tmux_prefix'],
    };
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    const nothing = { clipboard: false, notifications: false, links: false, title: false };
    return { rules: terminalFilter(nothing), prefix: undefined };
  }
}

/** The SSH agent and the configuration may have changed since the start. Returns an error message, if any. */
export async function updateForwarding(
  app: AppContext,
  request: ConfigurationRequest,
  { session, instance }: Container,
): Promise<string | undefined> {
  if (!session) return undefined;
  const profile = request.profile ?? session.profile;
  try {
    const workspace = session.workspace;
    const resolved = await loadRequestConfig(app, { ...request, profile }, workspace);
    const sshAgent = await resolveSshAgent(app, resolved, workspace);
    return await syncSshAgent(app, refOf(instance), sshAgent);
  } catch (error) {
    return error instanceof CoiError
      ? `SSH agent forwarding was not updated: ${error.message}`
      : undefined;
  }
}
