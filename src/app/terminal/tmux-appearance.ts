// How a session's tmux shows itself, and the hint for who runs coi in a tmux of their own.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { answerOf } from '../../host/process/ask-program.ts';
import { type Container, noTool } from '../../session/record/instance-record.ts';
import {
  lookCommands,
  nestedHint,
  type TmuxLook,
  usualPrefix,
} from '../../session/terminal/tmux-appearance.ts';
import type { AppContext } from '../context.ts';

const answerMs = 1000;

/** The prefix of the tmux that coi runs in; undefined outside of one. */
export function outerPrefix(app: AppContext): string | undefined {
  if (!app.env['TMUX']) return undefined;
  // The user's own program, about the user's own tmux.
  const said = answerOf(['tmux', 'display-message', '-p', '#{prefix}'], {
    timeoutMs: answerMs,
    env: app.env,
  });
  if (said === undefined) return usualPrefix;
  // Into commands of tmux goes only what has no meaning there; whoever has another key needs no hint.
  return /^[A-Za-z0-9`^_\]-]{1,20}$/.test(said) ? said : undefined;
}

/** Says it where both have the same prefix, as far as the configuration tells. */
export function hintOfNesting(
  app: AppContext,
  outer: string | undefined,
  inner = usualPrefix,
): void {
  if (outer !== undefined && outer === inner) app.report.info(nestedHint(inner));
}

/** The commands for the tmux of a session that is started. */
export function startedLook(
  settings: ResolvedConfig['settings'],
  session: Pick<TmuxLook, 'container' | 'slot' | 'workspace' | 'outerPrefix'> & {
    readonly again: object | undefined;
  },
): string {
  return lookCommands({
    ...session,
    alias: settings['container.alias'],
    // --debug starts none.
    tool: session.again ? settings['tool.name'] : undefined,
    prefix: settings['shell.tmux_prefix'],
    mouse: settings['shell.tmux_mouse'],
  });
}

/** The commands for the tmux of a session that runs, and the line for one in which no agent runs any more. */
export function attachedLook(
  { name, session }: Container,
  outer: string | undefined,
): [look: string, line: string] {
  const tool = session && session.tool !== noTool ? session.tool : undefined;
  const look = lookCommands({
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
      : `${tool} does not run here: \`exit\`, then \`coi shell --container ${name} --resume\` starts it with its conversation.`;
  return [look, line];
}
