// coi logs: what a container said: the files of its supervisor where the predecessor left them, else its own journal.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import type { PipedExec } from '../incus/client.ts';
import { incusFailure } from '../session/failure.ts';
import type { GlobalOptions } from './command.ts';
import { flagsOf } from './global.ts';
import { oneContainer } from './one-container.ts';

const logMaxBytes = 64 * 2 ** 20;

interface Options extends GlobalOptions {
  follow?: boolean;
  lines: string;
  json?: boolean;
}

type Source = 'stdout' | 'stderr' | 'journal';

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
  const { name, status } = await oneContainer(app, options, word);
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

/** The two files of the predecessor's supervisor, if there is one of them. */
function fromFiles(
  app: App,
  name: string,
  lines: number,
  print: (source: Source, texts: readonly string[]) => void,
): boolean {
  if (!/^[A-Za-z0-9-]+$/.test(name)) return false;
  using directory = hostFiles.open(`${app.user.home}/.coi/logs`);
  const text = (kind: string) =>
    directory?.read(`${name}.${kind}.log`, { maxBytes: logMaxBytes })?.text;
  const [out, err] = [text('stdout'), text('stderr')];
  if (out === undefined && err === undefined) return false;
  const errors = linesOf(err).slice(-lines);
  const left = lines - errors.length;
  print('stdout', left > 0 ? linesOf(out).slice(-left) : []);
  print('stderr', errors);
  return true;
}

function linesOf(text: string | undefined): string[] {
  return (text ?? '').split('\n').filter((line) => line !== '');
}

/** Prints whole lines as they come, without control characters. */
async function printed(
  app: App,
  exec: PipedExec,
  print: (texts: readonly string[]) => void,
): Promise<number> {
  exec.stdin.end();
  let rest = '';
  exec.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const whole = (rest + chunk).split('\n');
    rest = whole.pop() ?? '';
    print(whole);
  });
  exec.stderr.setEncoding('utf8').on('data', (chunk: string) => app.io.tell(chunk.trimEnd()));
  const interrupted = new Promise<number>((resolve) =>
    app.signal.addEventListener('abort', () => resolve(0), { once: true }),
  );
  try {
    return await Promise.race([exec.status, interrupted]);
  } finally {
    if (rest !== '') print([rest]);
    exec.close();
  }
}
