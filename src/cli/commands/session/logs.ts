// `coi logs`: the log files that the predecessor's supervisor left, else the journal of the container.
import type { Command } from 'commander';
import { type LogSource, printExecOutput, printLogFiles } from '../../../app/container-logs.ts';
import { oneContainer } from '../../../app/targets/workspace-container.ts';
import { CoiError } from '../../../errors.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';

interface Options extends GlobalOptions {
  follow?: boolean;
  lines: string;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[container]', 'name or alias (default: the only one of the workspace)')
    .option('-f, --follow', 'keep printing new lines')
    .option('-n, --lines <n>', 'number of lines from the end', '200')
    .option('--json', 'print each line as JSON')
    .action((word: string | undefined) => logs(app, mergedOptions<Options>(command), word));
}

async function logs(app: App, options: Options, word: string | undefined): Promise<void> {
  const lines = Number(options.lines);
  if (!Number.isInteger(lines) || lines < 1)
    throw new CoiError('usage', '--lines must be a number', {
      hint: 'Use for example --lines 50.',
    });
  const print = (source: LogSource, texts: readonly string[]) => {
    if (options.json) for (const line of texts) app.io.printJsonLine({ source, line });
    else if (texts.length > 0)
      app.io.print(texts.map((line) => (source === 'stderr' ? `[ERR] ${line}` : line)).join('\n'));
  };
  if (word !== undefined && !options.follow && printLogFiles(app, word, lines, print)) return;
  const { name, status } = await oneContainer(app, sessionTarget(options), word);
  if (!options.follow && printLogFiles(app, name, lines, print)) return;
  if (status !== 'Running')
    throw new CoiError('session-not-found', `container ${name} is not running (${status})`, {
      hint: `Copy its files: coi file pull ${name}:/var/log/... .`,
    });
  const incus = await app.incus();
  const tail = ['--no-pager', '--quiet', '--output=short-iso', `--lines=${lines}`];
  try {
    const exec = await incus.execPiped(
      name,
      {
        command: ['journalctl', ...tail, ...(options.follow ? ['--follow'] : [])],
        environment: { LANG: 'C.UTF-8' },
        user: 0,
        group: 0,
      },
      { signal: app.signal },
    );
    const ended = await printExecOutput(app, exec, (texts) => print('journal', texts));
    if (ended !== 0) throw new CoiError('failed', `the journal of ${name} cannot be read`);
  } catch (error) {
    throw incusFailure(error, `reading the journal of ${name} failed`);
  }
}
