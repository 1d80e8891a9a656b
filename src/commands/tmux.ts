// coi tmux send|capture|list: sessions from scripts, without a terminal.
import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { guestScript } from '../host/resources.ts';
import type { CapturedExec } from '../incus/client.ts';
import type { ContainerName } from '../names.ts';
import { tmuxSession } from '../names.ts';
import { plainEnvironment } from '../session/environment.ts';
import { incusFailure } from '../session/failure.ts';
import { keyWords, parseKey } from '../session/tmux-keys.ts';
import { table } from '../ui/table.ts';
import { runningContainer } from './any-container.ts';
import type { GlobalOptions } from './command.ts';
import { formatted, wantsJson } from './container.ts';
import { ownContainers } from './containers.ts';
import { flagsOf } from './global.ts';

const limitMs = 20_000;
/** What tmux.sh ends with when that user has no such session. */
const noSession = 3;
/** And where it typed nothing, since an agent's dialog is up. */
const dialogUp = 4;
/** The agent's sessions are its user's; older versions and foreign images have root's. */
const users = [
  { uid: 1000, home: '/home/code', name: 'code' },
  { uid: 0, home: '/root', name: 'root' },
] as const;

interface SendOptions {
  readonly key?: readonly string[];
  readonly raw?: boolean;
  readonly json?: boolean;
}

const collect = (key: string, before: readonly string[] = []) => [...before, key];

export function register(command: Command, app: App): void {
  const shared = () => flagsOf<GlobalOptions>(command);
  command
    .command('send')
    .description('type a text and Enter, or press keys')
    .argument('<container>', 'name or alias')
    .argument('[text]', "'' is only Enter")
    .option(
      '--key <key>',
      'press that key instead, for example Escape or C-c (repeatable)',
      collect,
    )
    .option('--raw', "type also into an agent's dialog, where Enter chooses what is marked")
    .option('--json', 'print where it went as JSON')
    .addHelpText(
      'after',
      '\nA text is not typed while a dialog of the agent waits for an answer: Enter would approve it. Keys of --key are\npressed whatever is on the screen.',
    )
    .action((word: string, text: string | undefined, options: SendOptions) =>
      send(app, shared(), word, typing(text, options), options.json ?? false),
    );
  command
    .command('capture')
    .description('print what is on the screen')
    .argument('<container>', 'name or alias')
    .option('--json', 'print it as JSON')
    .action((word: string, { json }: { json?: boolean }) =>
      capture(app, shared(), word, json ?? false),
    );
  formatted(command.command('list').description('list the sessions that run')).action(
    (options: { format?: 'text' | 'json'; json?: boolean }) =>
      list(app, shared(), wantsJson(options)),
  );
}

/** What is typed, and how tmux.sh is to do it. */
interface Typing {
  readonly verb: 'text' | 'lines' | 'keys';
  readonly input: string;
  readonly raw: boolean;
}

function typing(text: string | undefined, { key, raw = false }: SendOptions): Typing {
  if (key !== undefined && text !== undefined)
    throw new CoiError('usage', 'a text and --key exclude each other', {
      hint: 'Call it twice.',
    });
  if (key !== undefined) return { verb: 'keys', input: keyWords(key.map(parseKey)), raw };
  if (text === undefined)
    throw new CoiError('usage', 'there is nothing to send', {
      hint: "Give a text ('' is only Enter) or --key.",
    });
  return { verb: text.includes('\n') ? 'lines' : 'text', input: text, raw };
}

async function send(
  app: App,
  options: GlobalOptions,
  word: string,
  { verb, input, raw }: Typing,
  json: boolean,
): Promise<void> {
  const { name } = await runningContainer(app, options, word);
  await inSession(app, name, verb, input, raw);
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
  const { stdout } = await inSession(app, name, 'capture', '');
  const screen = stdout.toString('utf8').replace(/\n+$/, '');
  if (json) app.io.printJson({ ...tmuxOf(name), screen });
  else app.io.print(screen);
}

async function list(app: App, options: GlobalOptions, json: boolean): Promise<void> {
  const running = (await ownContainers(app, options)).filter(({ status }) => status === 'Running');
  const asked = running.map(async ({ name }) => {
    const found = await tried(app, name, 'has', '').catch(() => undefined);
    return found ? [tmuxOf(name)] : [];
  });
  const rows = (await Promise.all(asked)).flat();
  if (json) return app.io.printJson(rows);
  if (rows.length === 0) return app.io.print('No active sessions');
  const cells = rows.map(({ container, session }) => [container, session]);
  app.io.print(table(['CONTAINER', 'TMUX SESSION'], cells).join('\n'));
}

function tmuxOf(name: string): { container: string; session: string } {
  return { container: name, session: tmuxSession(name as ContainerName) };
}

async function inSession(
  app: App,
  name: string,
  verb: string,
  text: string,
  raw = false,
): Promise<CapturedExec> {
  const found = await tried(app, name, verb, text, raw);
  if (found?.status === 0) return found;
  if (found?.status === dialogUp)
    throw new CoiError('session-asks', `nothing was typed: the agent in ${name} asks something`, {
      hint: `\`coi tmux capture ${name}\` shows it, --key answers it, --raw types all the same.`,
    });
  if (found)
    throw new CoiError('failed', `tmux in ${name} failed: ${found.stderr.toString('utf8').trim()}`);
  throw new CoiError('session-not-found', `there is no tmux session in ${name}`, {
    hint: `\`coi attach ${name}\` opens one.`,
  });
}

/** Asks the users' servers one after the other; undefined if none has the session. */
async function tried(
  app: App,
  name: string,
  verb: string,
  text: string,
  raw = false,
): Promise<CapturedExec | undefined> {
  const incus = await app.incus();
  const session = tmuxSession(name as ContainerName);
  const id = randomUUID();
  for (const { uid, home, name: user } of users) {
    try {
      const said = await incus.execCaptured(
        name,
        {
          command: [
            ...['sh', '-c', guestScript('tmux.sh'), 'coi-tmux', verb, session, id],
            ...(raw ? ['raw'] : []),
          ],
          environment: plainEnvironment(home, user, 'xterm-256color'),
          cwd: '/',
          user: uid,
          group: uid,
          input: text,
        },
        { signal: app.signal, timeoutMs: limitMs },
      );
      if (said.status !== noSession) return said;
    } catch (error) {
      throw incusFailure(error, `asking tmux in ${name} failed`);
    }
  }
  return undefined;
}
