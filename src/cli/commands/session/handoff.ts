// coi handoff: what changed in the workspace that something on the host would run.
import type { Command } from 'commander';
import { answeringWorkspace } from '../../../app/answering-workspace.ts';
import {
  answeredFindings,
  entriesMax,
  nothingKnown,
  sessionsOf,
  unnamedCount,
} from '../../../app/handoff/report.ts';
import { sessionStart } from '../../../app/handoff/since.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import { strippedEntry, sweepGaps } from '../../../session/handoff/judge.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { tellReport } from '../../output/handoff-report.ts';

interface Options extends GlobalOptions {
  json?: boolean;
  since?: string;
}

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
  else tellReport(app, { ...findings, notLookedAt, since, unnamed, stripped });
  if (!complete) throw new ExitStatus(1);
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new CoiError('usage', `invalid --since ${quoted(text)}`, {
    hint: 'Give a time such as 2026-01-02T03:04.',
  });
}
