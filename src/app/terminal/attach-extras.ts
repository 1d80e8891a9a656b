// What `coi attach` does once its terminal is open, and loads only then.
import { CoiError } from '../../errors.ts';
import type { Local } from '../../host/terminal/terminal-bridge.ts';
import { terminalFilter } from '../../host/terminal/terminal-filter.ts';
import { workspacePath } from '../../session/plan/workspace.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { config } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { ConfigurationRequest } from '../requests.ts';
import { terminalRules } from '../session-spec/session-wish.ts';
import { agentWish, followAgent } from './ssh-agent-forwarding.ts';

export { noteAttached } from '../end-sessions/note-end.ts';
export { tellAlerts } from './alerts.ts';

export interface TerminalToday {
  readonly rules: Local['filter'];
  readonly prefix: string | undefined;
}

/** What its terminal may do, by today's configuration: nothing where that cannot be read, since an agent may have broken it. */
export async function terminalToday(
  app: AppContext,
  request: ConfigurationRequest,
  { session }: Container,
): Promise<TerminalToday> {
  // Without a session there is no project either: the user's own configuration holds.
  const workspace = session?.workspace ?? workspacePath(app.user.home, '.');
  const profile = request.profile ?? session?.profile;
  try {
    const { settings } = await config(app, { ...request, profile }, workspace);
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

/** The agent may be another one by now, and the configuration too. Returns what went wrong. */
export async function forwardToday(
  app: AppContext,
  request: ConfigurationRequest,
  { session, instance }: Container,
): Promise<string | undefined> {
  if (!session) return undefined;
  const profile = request.profile ?? session.profile;
  try {
    const workspace = session.workspace;
    const resolved = await config(app, { ...request, profile }, workspace);
    const wish = await agentWish(app, resolved, workspace);
    return await followAgent(app, refOf(instance), wish);
  } catch (error) {
    return error instanceof CoiError
      ? `the SSH agent was left as it is: ${error.message}`
      : undefined;
  }
}
