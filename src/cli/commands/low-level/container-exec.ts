// `coi container exec`: runs a command in a container. Its arguments and environment are passed on stdin, never in argv.
import { execRequest } from '../../../app/run-command/command-in-container.ts';
import { captureStreams, connectStreams } from '../../../app/run-command/streams.ts';
import { runOnTerminal } from '../../../app/run-command/terminal-command.ts';
import { requestVariables } from '../../../app/session-spec/agent-environment.ts';
import { runningContainer } from '../../../app/targets/container-by-name.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import type { ExecRequest } from '../../../incus/client.ts';
import { quoted } from '../../../names.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import type { StartExec } from '../../../session/lifecycle/secret-handover.ts';
import { handoverText } from '../../../session/plan/environment.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { warnTruncated } from '../../output/truncation-warning.ts';
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
    throw new CoiError('usage', `invalid format ${quoted(format)}`, { hint: 'Use json or raw.' });
  if (tty && capture)
    throw new CoiError('usage', '--tty and --capture cannot be combined', {
      hint: 'Use one of them.',
    });
  const user = parseId(options.user, '--user') ?? 0;
  const group = parseId(options.group, '--group') ?? user;
  const handed = handoverText(requestVariables(app, variablesRequest(options)), words);
  const container = await runningContainer(app, options, word);
  const request = { ...execRequest(app, container, options.cwd, user), user, group };
  try {
    if (tty) await runOnTerminal(app, app.io, container.name, request, handed);
    else if (capture) await execCapturing(app, container.name, request, handed, format ?? 'json');
    else await execStreaming(app, container.name, request, handed);
  } catch (error) {
    throw incusFailure(error, `running a command in ${container.name} failed`);
  }
}

async function execStreaming(
  app: App,
  name: string,
  request: ExecRequest,
  handed: string,
): Promise<void> {
  const status = await connectStreams(app, app.io, await execStart(app, name, request), handed);
  if (status !== 0) throw new CoiError('failed', `command failed: exit status ${status}`);
}

async function execCapturing(
  app: App,
  name: string,
  request: ExecRequest,
  handed: string,
  format: 'json' | 'raw',
): Promise<void> {
  const start = await execStart(app, name, request);
  if (format === 'json') {
    const output = await captureStreams(app, start, handed);
    warnTruncated(app, output, '--format raw prints all of it.');
    return app.io.printJson({
      stdout: output.stdout,
      stderr: output.stderr,
      ...(output.truncated && { truncated: true }),
      exit_code: output.status,
    });
  }
  const status = await connectStreams(app, app.io, start, handed, { input: false });
  if (status !== 0) throw new ExitStatus(status);
}

async function execStart(app: App, name: string, request: ExecRequest): Promise<StartExec> {
  const incus = await app.incus();
  return (signal) => incus.execPiped(name, request, { signal });
}

function parseId(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new CoiError('usage', `invalid ${flag} ${quoted(text)}`, { hint: 'Use a number.' });
}
