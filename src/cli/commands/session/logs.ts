// coi logs: what a container said: the files of its supervisor where the predecessor left them, else its own journal.
import type { Command } from 'commander';
import { fromFiles, printed, type Source } from '../../../app/container-logs.ts';
import { oneContainer } from '../../../app/targets/workspace-container.ts';
import { CoiError } from '../../../errors.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';

interface Options extends GlobalOptions {
  follow?: boolean;
  lines: string;
  json?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .argument('[container]', "name or alias (default: the workspace's)")
    .option('-f, --follow', 'go on with what comes')
    .option('-n, --lines <n>', 'how many of the last lines', '200')
    .option('--json', 'print each line as JSON')
    .action((word: string | undefined) => logs(app, flagsOf<Options>(command), word));
}

async function logs(app: App, options: Options, word: string | undefined): Promise<void> {
  const lines = Number(options.lines);
  if (!Number.isInteger(lines) || lines < 1)
    throw new CoiError('usage', '--lines takes a number', { hint: 'For example --lines 50.' });
  const print = (source: Source, texts: readonly string[]) => {
    if (options.json) for (const line of texts) app.io.printJsonLine({ source, line });
    else if (texts.length > 0)
      app.io.print(texts.map((line) => (source === 'stderr' ? `[ERR] ${line}` : line)).join('\n'));
  };
  if (word !== undefined && !options.follow && fromFiles(app, word, lines, print)) return;
  const { name, status } = await oneContainer(app, sessionTarget(options), word);
  if (!options.follow && fromFiles(app, name, lines, print)) return;
  if (status !== 'Running')
    throw new CoiError('session-not-found', `container ${name} does not run (${status})`, {
      hint: `Its files can be read: coi file pull ${name}:/var/log/... .`,
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
    const ended = await printed(app, exec, (texts) => print('journal', texts));
    if (ended !== 0) throw new CoiError('failed', `the journal of ${name} cannot be read`);
  } catch (error) {
    throw incusFailure(error, `reading the journal of ${name} failed`);
  }
}
