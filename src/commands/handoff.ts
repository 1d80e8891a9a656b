// coi handoff: what changed in the workspace that something on the host would run.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import type { EndedReply } from '../daemon/protocol.ts';
import { CoiError, ExitStatus } from '../errors.ts';
import { quoted } from '../names.ts';
import { handoffLines, incompleteLines, strippedEntry, sweepGaps } from '../session/handoff.ts';
import { oneLine } from '../ui/printable.ts';
import { table } from '../ui/table.ts';
import { answeringWorkspace } from './answering.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { flagsOf } from './global.ts';
import {
  answeredFindings,
  entriesMax,
  nothingKnown,
  sessionsOf,
  unnamedCount,
} from './handoff-report.ts';
import { here, isOf } from './here.ts';

interface Options extends GlobalOptions {
  json?: boolean;
  since?: string;
}

const dayMs = 86_400_000;

export function register(command: Command, app: App): void {
  command
    .option('--json', 'print JSON')
    .option(
      '--since <time>',
      "what changed since then (default: since the workspace's session started, else a day ago)",
    )
    .addHelpText(
      'after',
      '\nExit status: 0 if everything was looked at, whatever was found; 1 if not: the first lines say what was left out.',
    )
    .action(() => report(app, flagsOf<Options>(command)));
}

async function report(app: App, options: Options): Promise<void> {
  const workspace = answeringWorkspace(app, options.workspace);
  const known = await sessionsOf(app, workspace);
  const sessions = known ?? nothingKnown;
  const since =
    options.since === undefined
      ? await sessionStart(app, options, workspace, sessions)
      : parseTime(options.since);
  const findings = await answeredFindings(workspace, {
    since,
    sessions,
    thorough: true,
    max: entriesMax,
  });
  const lately = sessions.sessions.filter(
    ({ endedAt, complete }) => complete === false || Date.parse(endedAt) >= since.getTime(),
  );
  const unnamed = unnamedCount(lately);
  const stripped = lately.flatMap((session) =>
    session.stripped.flatMap((file) => strippedEntry(workspace, file)),
  );
  const notLookedAt = [...sweepGaps(known && lately), ...findings.notLookedAt];
  const complete = notLookedAt.length === 0;
  if (options.json)
    app.io.printJson({
      workspace,
      since: since.toISOString(),
      complete,
      not_looked_at: notLookedAt,
      files: [...stripped, ...findings.files],
      hidden: findings.hidden,
      installed: findings.installed,
      stripped_unnamed: unnamed,
    });
  else {
    const { installed } = findings;
    const lines = [...stripped, ...handoffLines(findings)];
    const [first, ...others] = incompleteLines(notLookedAt);
    if (first !== undefined) app.io.print([`Warning: ${first}`, ...others.map(oneLine)].join('\n'));
    if (lines.length > 0)
      app.io.print(
        table(
          ['FILE', 'WHY'],
          lines.map(({ path, why }) => [oneLine(path), oneLine(why)]),
        ).join('\n'),
      );
    if (unnamed > 0)
      app.io.print(
        `and ${unnamed} more that had setuid, setgid or capabilities, which coi took away`,
      );
    else if (complete && lines.length === 0)
      app.io.print(
        `Nothing that the host would run changed since ${since.toLocaleString('sv-SE')}.`,
      );
    for (const { path, changed } of installed)
      app.io.print(
        `Installed or built in ${oneLine(path)}: ${changed} changed files, which tests, builds and editors may run.`,
      );
  }
  if (!complete) throw new ExitStatus(1);
}

/** Of the oldest session that runs, else of the last one that ended, else a day ago. */
async function sessionStart(
  app: App,
  options: GlobalOptions,
  workspace: string,
  { open, sessions }: EndedReply,
): Promise<Date> {
  const known = open.map(({ startedAt }) => Date.parse(startedAt));
  // One that coid knows nothing of was started without it.
  const own = known.length + sessions.length > 0 ? [] : await ownContainers(app, options);
  const starts = own
    .filter(isOf(here(app, { workspace })))
    .map(({ instance }) => Date.parse(instance.created_at));
  const all = [...known, ...starts];
  if (all.length > 0) return new Date(Math.min(...all));
  return new Date(sessions[0]?.startedAt ?? app.clock.now().getTime() - dayMs);
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new CoiError('usage', `invalid --since ${quoted(text)}`, {
    hint: 'Give a time such as 2026-01-02T03:04.',
  });
}
