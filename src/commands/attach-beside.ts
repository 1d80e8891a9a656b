// What `coi attach` does once its terminal is open, and loads only then.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import type { Local } from '../host/terminal.ts';
import { terminalFilter } from '../host/terminal-filter.ts';
import type { WorkspacePath } from '../names.ts';
import { refOf } from '../session/container-ref.ts';
import type { Container } from '../session/record.ts';
import { agentWish, followAgent } from './agent.ts';
import type { AttachOptions } from './attach.ts';
import { config, terminalRules } from './prepare.ts';

export { tellAlerts } from './alerts.ts';

export interface TerminalToday {
  readonly rules: Local['filter'];
  readonly prefix: string | undefined;
}

/** What its terminal may do, by today's configuration: nothing where that cannot be read, since an agent may have broken it. */
export async function terminalToday(
  app: App,
  options: AttachOptions,
  { session }: Container,
): Promise<TerminalToday> {
  // Without a session there is no project either: the user's own configuration holds.
  const workspace = (session?.workspace ?? app.user.home) as WorkspacePath;
  const profile = options.profile ?? session?.profile;
  try {
    const { settings } = await config(app, { ...options, profile }, workspace);
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
  app: App,
  options: AttachOptions,
  { session, instance }: Container,
): Promise<string | undefined> {
  if (!session) return undefined;
  const profile = options.profile ?? session.profile;
  try {
    const workspace = session.workspace as WorkspacePath;
    const resolved = await config(app, { ...options, profile }, workspace);
    const wish = await agentWish(app, resolved, workspace);
    return await followAgent(app, refOf(instance), wish);
  } catch (error) {
    return error instanceof CoiError
      ? `the SSH agent was left as it is: ${error.message}`
      : undefined;
  }
}
