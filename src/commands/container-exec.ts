// coi container exec: one command inside. Its arguments and environment are handed over on stdin, never in argv.
import type { App } from '../app.ts';
import { CoiError, ExitStatus } from '../errors.ts';
import { runnerIn } from '../host/resources.ts';
import { bridgeTerminal, terminalSize } from '../host/terminal.ts';
import type { ExecRequest } from '../incus/client.ts';
import { quoted } from '../names.ts';
import { guestTerm, handOver, plainEnvironment } from '../session/environment.ts';
import { incusFailure } from '../session/failure.ts';
import { handOverTo, opened, type Start, terminalStarter } from '../session/handover.ts';
import type { Container } from '../session/record.ts';
import { guardsGit, toolVariables } from '../session/tool-setup.ts';
import { runningContainer } from './any-container.ts';
import type { GlobalOptions } from './command.ts';
import { outputOf, passOn, tellTruncated } from './pass-on.ts';
import { givenVariables } from './variables.ts';

export interface ExecOptions extends GlobalOptions {
  user?: string;
  group?: string;
  cwd?: string;
  capture?: boolean;
  format?: string;
  tty?: boolean;
}

export async function exec(
  app: App,
  options: ExecOptions,
  word: string,
  words: readonly string[],
): Promise<void> {
  const { capture = false, tty = false, format } = options;
  if (format !== undefined && !capture)
    throw new CoiError('usage', '--format needs --capture', { hint: 'Add --capture.' });
  if (format !== undefined && format !== 'json' && format !== 'raw')
    throw new CoiError('usage', `invalid format ${quoted(format)}`, { hint: 'json or raw.' });
  if (tty && capture)
    throw new CoiError('usage', '--tty and --capture exclude each other', {
      hint: 'Use one of them.',
    });
  const user = id(options.user, '--user') ?? 0;
  const group = id(options.group, '--group') ?? user;
  const handed = handOver(givenVariables(app, options), words);
  const container = await runningContainer(app, options, word);
  const request = { ...starter(app, container, options.cwd, user), user, group };
  try {
    if (tty) await onTerminal(app, container.name, request, handed);
    else if (capture) await captured(app, container.name, request, handed, format ?? 'json');
    else await streamed(app, container.name, request, handed);
  } catch (error) {
    throw incusFailure(error, `running a command in ${container.name} failed`);
  }
}

/** What runs a command there that is handed over, at a directory or in the workspace, as that user. */
export function starter(
  app: App,
  { session, instance }: Container,
  cwd: string | undefined,
  user: number,
): ExecRequest {
  const workspace = session?.target ?? instance.devices['workspace']?.['path'];
  const [home, name] =
    user === 0 ? ['/root', 'root'] : user === 1000 ? ['/home/code', 'code'] : ['/', String(user)];
  return {
    command: runnerIn(cwd ?? workspace ?? '/'),
    environment: {
      ...plainEnvironment(home, name, guestTerm(app.env['TERM'])),
      ...toolVariables({}, { guarded: guardsGit(session?.mounts.protect), git: [] }),
    },
    cwd: '/',
  };
}

async function streamed(
  app: App,
  name: string,
  request: ExecRequest,
  handed: string,
): Promise<void> {
  const status = await passOn(app, await starting(app, name, request), handed);
  if (status !== 0) throw new CoiError('failed', `command failed: exit status ${status}`);
}

async function captured(
  app: App,
  name: string,
  request: ExecRequest,
  handed: string,
  format: 'json' | 'raw',
): Promise<void> {
  const start = await starting(app, name, request);
  if (format === 'json') {
    const said = await outputOf(app, start, handed);
    tellTruncated(app, said, '--format raw passes on all of it.');
    return app.io.printJson({
      stdout: said.stdout,
      stderr: said.stderr,
      ...(said.truncated && { truncated: true }),
      exit_code: said.status,
    });
  }
  const status = await passOn(app, start, handed, { input: false });
  if (status !== 0) throw new ExitStatus(status);
}

async function starting(app: App, name: string, request: ExecRequest): Promise<Start> {
  const incus = await app.incus();
  return (signal) => incus.execPiped(name, request, { signal });
}

async function onTerminal(
  app: App,
  name: string,
  request: ExecRequest,
  handed: string,
): Promise<void> {
  const { stdin, stdout } = app.io;
  const incus = await app.incus();
  const exec = await opened(async () => {
    const size = terminalSize(stdout);
    const made = await incus.execTerminal(name, { ...request, ...size }, { signal: app.signal });
    try {
      await handOverTo(terminalStarter(made), handed, app.signal);
      return made;
    } catch (error) {
      made.close();
      throw error;
    }
  }, app.signal);
  // A script that wants a terminal inside need not have one itself; the end of its input is told as a terminal tells it.
  const ended = () => void exec.stream.write('\u0004');
  if (!stdin.isTTY) stdin.once('end', ended);
  const end = await bridgeTerminal({ stdin, stdout }, exec, app.signal);
  stdin.off('end', ended);
  exec.close();
  if (end.kind === 'lost') throw end.error;
  if (end.kind === 'interrupted') throw app.signal.reason;
  if (end.status !== 0) throw new CoiError('failed', `command failed: exit status ${end.status}`);
}

function id(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CoiError('usage', `invalid ${flag} ${quoted(text)}`, { hint: 'It is a number.' });
}
