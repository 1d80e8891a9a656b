// `coi tmux`: controls sessions from scripts, without a terminal.
import type { Command } from 'commander';
import { containerActivity } from '../../../app/attention/container-activity.ts';
import { runningContainer } from '../../../app/targets/container-by-name.ts';
import { ownContainers } from '../../../app/targets/user-containers.ts';
import { capturedScreen, runInTmux, tryInTmux } from '../../../app/terminal/tmux-commands.ts';
import { type ContainerName, tmuxSession } from '../../../names.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { addFormatOptions, wantsJson } from '../../format-option.ts';
import { collect, mergedOptions } from '../../global-options.ts';
import { table } from '../../ui/table.ts';
import { parseTyping, type SendOptions, type Typing } from './tmux-typing.ts';

export function register(command: Command, app: App): void {
  const shared = () => mergedOptions<GlobalOptions>(command);
  command
    .command('send')
    .description('type text and Enter, or press keys')
    .argument('<container>', 'name or alias')
    .argument('[text]', "text to type ('' presses only Enter)")
    .option(
      '--key <key>',
      'press this key instead, for example Escape or C-c (repeatable)',
      collect,
    )
    .option('--raw', "also type into an agent's dialog, where Enter selects the highlighted answer")
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      `
Text is not typed while a dialog of the agent waits for an answer (exit status 3): Enter would approve it. Only the number
of an option that the dialog shows is, without Enter. Keys of --key are pressed whatever is on the screen. \`coi send\` sends
a message and checks that it has arrived.`,
    )
    .action((word: string, text: string | undefined, options: SendOptions) =>
      send(app, shared(), word, parseTyping(text, options), options.json ?? false),
    );
  command
    .command('capture')
    .description('print the visible screen')
    .argument('<container>', 'name or alias')
    .option('--json', 'print it as JSON')
    .action((word: string, { json }: { json?: boolean }) =>
      capture(app, shared(), word, json ?? false),
    );
  addFormatOptions(command.command('list').description('list running sessions')).action(
    (options: { format?: 'text' | 'json'; json?: boolean }) =>
      list(app, shared(), wantsJson(options)),
  );
}

async function send(
  app: App,
  options: GlobalOptions,
  word: string,
  { verb, input, raw }: Typing,
  json: boolean,
): Promise<void> {
  const container = await runningContainer(app, options, word);
  const { name } = container;
  const asks = containerActivity(app, container)?.kind === 'asks';
  await runInTmux(app, name, verb, input, raw ? 'raw' : asks ? 'asks' : 'look');
  const to = tmuxOf(name);
  if (json) app.io.printJson(to);
  else app.io.print(`Sent command to session ${to.session}`);
}

async function capture(
  app: App,
  options: GlobalOptions,
  word: string,
  json: boolean,
): Promise<void> {
  const { name } = await runningContainer(app, options, word);
  const screen = await capturedScreen(app, name);
  if (json) app.io.printJson({ ...tmuxOf(name), screen });
  else app.io.print(screen);
}

async function list(app: App, options: GlobalOptions, json: boolean): Promise<void> {
  const running = (await ownContainers(app, options)).filter(({ status }) => status === 'Running');
  const queries = running.map(async ({ name }) => {
    const found = await tryInTmux(app, name, 'has', '').catch(() => undefined);
    return found ? [tmuxOf(name)] : [];
  });
  const rows = (await Promise.all(queries)).flat();
  if (json) return app.io.printJson(rows);
  if (rows.length === 0) return app.io.print('No active sessions');
  const cells = rows.map(({ container, session }) => [container, session]);
  app.io.print(table(['CONTAINER', 'TMUX SESSION'], cells).join('\n'));
}

function tmuxOf(name: ContainerName): { container: string; session: string } {
  return { container: name, session: tmuxSession(name) };
}
