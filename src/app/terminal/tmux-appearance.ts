// Appearance of a session's tmux, and the hint for users who run coi in tmux.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { captureOutput } from '../../host/process/capture-output.ts';
import { type Container, noTool } from '../../session/record/instance-record.ts';
import {
  appearanceCommands,
  defaultPrefix,
  nestedHint,
  type TmuxAppearance,
} from '../../session/terminal/tmux-appearance.ts';
import type { AppContext } from '../context.ts';

const answerMs = 1000;

/** The prefix key of the tmux that coi runs in; undefined outside of tmux. */
export function outerPrefix(app: AppContext): string | undefined {
  if (!app.env['TMUX']) return undefined;
  // The user's own tmux program on the host.
  const prefix = captureOutput(['tmux', 'display-message', '-p', '#{prefix}'], {
    timeoutMs: answerMs,
    env: app.env,
  });
  if (prefix === undefined) return defaultPrefix;
  // Only characters without a meaning in tmux commands are used; other prefix keys need no hint.
  return /^[A-Za-z0-9`^_\]-]{1,20}$/.test(prefix) ? prefix : undefined;
}

/** Reports the hint if both have the same prefix key according to the configuration. */
export function reportNesting(
  app: AppContext,
  outer: string | undefined,
  inner = defaultPrefix,
): void {
  if (outer !== undefined && outer === inner) app.report.info(nestedHint(inner));
}

/** The tmux commands for a session that is started. */
export function startAppearance(
  settings: ResolvedConfig['settings'],
  session: Pick<TmuxAppearance, 'container' | 'slot' | 'workspace' | 'outerPrefix'> & {
    readonly again: object | undefined;
  },
): string {
  return appearanceCommands({
    ...session,
    alias: settings['container.alias'],
    // --debug starts no agent.
    tool: session.again ? settings['tool.name'] : undefined,
    prefix: settings['shell.tmux_prefix'],
    mouse: settings['shell.tmux_mouse'],
  });
}

/** The tmux commands for a running session, and the line to show if its agent no longer runs. */
export function attachAppearance(
  { name, session }: Container,
  outer: string | undefined,
): [appearance: string, line: string] {
  const tool = session && session.tool !== noTool ? session.tool : undefined;
  const appearance = appearanceCommands({
    container: name,
    alias: session?.alias,
    workspace: session?.workspace,
    slot: session?.slot,
    tool,
    outerPrefix: outer,
  });
  const line =
    tool === undefined
      ? ''
      : `${tool} is not running here: \`exit\`, then run \`coi shell --container ${name} --resume\` to resume its conversation.`;
  return [appearance, line];
}
