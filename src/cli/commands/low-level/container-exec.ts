// coi container exec: one command inside. Its arguments and environment are handed over on stdin, never in argv.
import { starter } from '../../../app/run-command/command-in-container.ts';
import { outputOf, passOn } from '../../../app/run-command/streams.ts';
import { onTerminal } from '../../../app/run-command/terminal-command.ts';
import { givenVariables } from '../../../app/session-spec/agent-environment.ts';
import { runningContainer } from '../../../app/targets/container-by-name.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import type { ExecRequest } from '../../../incus/client.ts';
import { quoted } from '../../../names.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import type { Start } from '../../../session/lifecycle/secret-handover.ts';
import { handOver } from '../../../session/plan/environment.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { tellTruncated } from '../../output/truncated.ts';
import { variablesRequest } from '../../requests.ts';

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
  const handed = handOver(givenVariables(app, variablesRequest(options)), words);
  const container = await runningContainer(app, options, word);
  const request = { ...starter(app, container, options.cwd, user), user, group };
  try {
    if (tty) await onTerminal(app, app.io, container.name, request, handed);
    else if (capture) await captured(app, container.name, request, handed, format ?? 'json');
    else await streamed(app, container.name, request, handed);
  } catch (error) {
    throw incusFailure(error, `running a command in ${container.name} failed`);
  }
}

async function streamed(
  app: App,
  name: string,
  request: ExecRequest,
  handed: string,
): Promise<void> {
  const status = await passOn(app, app.io, await starting(app, name, request), handed);
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
  const status = await passOn(app, app.io, start, handed, { input: false });
  if (status !== 0) throw new ExitStatus(status);
}

async function starting(app: App, name: string, request: ExecRequest): Promise<Start> {
  const incus = await app.incus();
  return (signal) => incus.execPiped(name, request, { signal });
}

function id(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CoiError('usage', `invalid ${flag} ${quoted(text)}`, { hint: 'It is a number.' });
}
