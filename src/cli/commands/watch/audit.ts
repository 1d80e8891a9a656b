// `coi audit`: the audit log of a session.
import type { Command } from 'commander';
import { Option } from 'commander';
import { auditLogName, fetchAuditLog, readAuditFile } from '../../../app/audit-log.ts';
import { ExitStatus } from '../../../errors.ts';
import type { ChainHead } from '../../../monitor/audit.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { sessionTarget } from '../../requests.ts';
import { auditLine } from '../../ui/views/audit.ts';

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
    .argument('[container]', 'name or alias, also of a deleted container')
    .option('-f, --follow', 'keep printing new lines, until Ctrl-C')
    .option('--verify', 'check that no line was changed, removed or inserted')
    .option('--file <path>', 'read this file instead of asking coid')
    .addOption(
      new Option('--format <format>', 'output format').choices(['text', 'json']).default('json'),
    )
    .option('--json', 'same as --format json')
    .action((name: string | undefined) => audit(app, mergedOptions<Options>(command), name));
}

async function audit(app: App, options: Options, word: string | undefined): Promise<void> {
  const { name, notFound } =
    options.file === undefined
      ? await auditLogName(app, sessionTarget(options), word)
      : { name: undefined, notFound: undefined };
  const { lines, head } =
    name === undefined ? readAuditFile(options.file ?? '') : await fetchAuditLog(app, name, 0, 0);
  if (notFound && !head && lines.length === 0) throw notFound;
  if (options.verify) return verify(app, lines, head, options.json ?? false);
  if (lines.length === 0 && !options.follow) app.io.info('The audit log is empty.');
  show(app, options, lines);
  if (!options.follow || name === undefined) return;
  let seen = head?.seq ?? 0;
  while (!app.signal.aborted) {
    const more = await fetchAuditLog(app, name, seen, waitMs).catch((error: unknown) => {
      if (app.signal.aborted) return undefined;
      throw error;
    });
    if (!more || (more.head?.seq ?? 0) <= seen) continue;
    show(app, options, more.lines);
    seen = more.head?.seq ?? seen;
  }
}

function show(app: App, { format, json }: Options, lines: readonly string[]): void {
  for (const line of lines)
    if (format === 'json' || json) app.io.printJsonLine(line);
    else app.io.print(auditLine(line, app.io.stdoutStyle));
}

async function verify(
  app: App,
  lines: readonly string[],
  head: ChainHead | undefined,
  json: boolean,
): Promise<void> {
  const { verifyLines } = await import('../../../monitor/audit.ts');
  const verdict = verifyLines(lines, head);
  const whole = verdict.problems.length === 0;
  if (json) app.io.printJson({ whole, lines: verdict.lines, problems: verdict.problems });
  else for (const { line, problem } of verdict.problems) app.io.print(`line ${line} ${problem}`);
  if (!whole) throw new ExitStatus(1);
  if (json) return;
  app.io.print(`The log is intact: ${verdict.lines} lines.`);
}
