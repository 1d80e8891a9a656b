// `coi handoff`: lists changes in the workspace that the host might execute.
import type { Command } from 'commander';
import {
  boundedFindings,
  entriesMax,
  knownSessions,
  noSessions,
  unnamedCount,
} from '../../../app/handoff/report.ts';
import { sessionStart } from '../../../app/handoff/since.ts';
import { resolveWorkspace } from '../../../app/resolve-workspace.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import { strippedEntry, uncheckedBySweep } from '../../../session/handoff/findings.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { printHandoff } from '../../output/handoff-report.ts';

interface Options extends GlobalOptions {
  json?: boolean;
  since?: string;
}

export function register(command: Command, app: App): void {
  command
    .option('--json', 'print JSON')
    .option(
      '--since <time>',
      "list changes since this time (default: start of the workspace's session, else a day ago)",
    )
    .addHelpText(
      'after',
      '\nExit status: 0 if everything was checked, whatever was found; 1 if not: the first lines say what was skipped.',
    )
    .action(() => report(app, mergedOptions<Options>(command)));
}

async function report(app: App, options: Options): Promise<void> {
  const workspace = resolveWorkspace(app, options.workspace);
  const known = await knownSessions(app, workspace);
  const sessions = known ?? noSessions;
  const since =
    options.since === undefined
      ? await sessionStart(app, options, workspace, sessions)
      : parseTime(options.since);
  const findings = await boundedFindings(workspace, {
    since,
    sessions,
    thorough: true,
    max: entriesMax,
  });
  const recent = sessions.sessions.filter(
    ({ endedAt, complete }) => complete === false || Date.parse(endedAt) >= since.getTime(),
  );
  const unnamed = unnamedCount(recent);
  const stripped = recent.flatMap((session) =>
    session.stripped.flatMap((file) => strippedEntry(workspace, file)),
  );
  const notLookedAt = [...uncheckedBySweep(known && recent), ...findings.notLookedAt];
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
  else printHandoff(app, { ...findings, notLookedAt, since, unnamed, stripped });
  if (!complete) throw new ExitStatus(1);
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new CoiError('usage', `invalid --since ${quoted(text)}`, {
    hint: 'Give a time such as 2026-01-02T03:04.',
  });
}
