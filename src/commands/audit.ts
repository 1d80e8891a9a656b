// coi audit: what coid wrote down about a session.
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { App } from '../app.ts';
import { CoiError, ExitStatus } from '../errors.ts';
import type { ChainHead } from '../monitor/audit.ts';
import { parseContainerName, quoted } from '../names.ts';
import { auditLine } from '../ui/views/audit.ts';
import type { GlobalOptions } from './command.ts';
import { flagsOf } from './global.ts';
import { oneContainer } from './one-container.ts';

interface Options extends GlobalOptions {
  follow?: boolean;
  verify?: boolean;
  file?: string;
  format: 'text' | 'json';
  json?: boolean;
}

const waitMs = 20_000;

export function register(command: Command, app: App): void {
  command
    .argument('[container]', 'name or alias, also of one that is gone')
    .option('-f, --follow', 'go on as lines come, until Ctrl-C')
    .option('--verify', 'check that no line was changed, taken out or put in')
    .option('--file <path>', 'read this file instead of asking coid')
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('json'),
    )
    .option('--json', 'the same as --format json')
    .action((name: string | undefined) => audit(app, flagsOf<Options>(command), name));
}

async function audit(app: App, options: Options, word: string | undefined): Promise<void> {
  const { name, notFound } =
    options.file === undefined
      ? await logName(app, options, word)
      : { name: undefined, notFound: undefined };
  const { lines, head } =
    name === undefined ? readLog(options.file ?? '') : await ask(app, name, 0, 0);
  if (notFound && !head && lines.length === 0) throw notFound;
  if (options.verify) return verify(app, lines, head, options.json ?? false);
  if (lines.length === 0 && !options.follow) app.io.tell('The audit log is empty.');
  show(app, options, lines);
  if (!options.follow || name === undefined) return;
  let seen = head?.seq ?? 0;
  while (!app.signal.aborted) {
    const more = await ask(app, name, seen, waitMs).catch((error: unknown) => {
      if (app.signal.aborted) return undefined;
      throw error;
    });
    if (!more || (more.head?.seq ?? 0) <= seen) continue;
    show(app, options, more.lines);
    seen = more.head?.seq ?? seen;
  }
}

async function ask(app: App, name: string, after: number, wait: number) {
  const coid = await app.coid();
  return coid.audit(
    name,
    { after, waitMs: wait },
    { signal: app.signal, timeoutMs: wait + 10_000 },
  );
}

function show(app: App, { format, json }: Options, lines: readonly string[]): void {
  for (const line of lines)
    if (format === 'json' || json) app.io.printJsonLine(line);
    else app.io.print(auditLine(line, app.io.style));
}

async function verify(
  app: App,
  lines: readonly string[],
  head: ChainHead | undefined,
  json: boolean,
): Promise<void> {
  const { verified } = await import('../monitor/audit.ts');
  const verdict = verified(lines, head);
  const whole = verdict.problems.length === 0;
  if (json) app.io.printJson({ whole, lines: verdict.lines, problems: verdict.problems });
  else for (const { line, problem } of verdict.problems) app.io.print(`line ${line} ${problem}`);
  if (!whole) throw new ExitStatus(1);
  if (json) return;
  app.io.print(`The log is whole: ${verdict.lines} lines.`);
}

/** A container that is gone is named in full: its log is still there. `notFound` is what to say where it is not. */
async function logName(
  app: App,
  options: Options,
  word: string | undefined,
): Promise<{ name: string; notFound?: CoiError }> {
  try {
    return { name: (await oneContainer(app, options, word)).name };
  } catch (error) {
    if (word !== undefined && error instanceof CoiError && error.code === 'session-not-found')
      return { name: parseContainerName(word), notFound: error };
    throw error;
  }
}

function readLog(path: string): { lines: string[]; head: undefined } {
  try {
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
    return { lines, head: undefined };
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const what = isMissing ? 'does not exist' : 'cannot be read';
    throw new CoiError('failed', `${quoted(path)} ${what}`, { cause });
  }
}
