// coi handoff: what changed in the workspace that something on the host would run.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { strippedEntry, unseenText } from '../session/handoff.ts';
import { workspacePath } from '../session/workspace.ts';
import { oneLine } from '../ui/printable.ts';
import { table } from '../ui/table.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { flagsOf } from './global.ts';
import { endedSessions, entriesMax, handoffReport } from './handoff-report.ts';

interface Options extends GlobalOptions {
  json?: boolean;
  since?: string;
}

const dayMs = 86_400_000;

export function register(command: Command, app: App): void {
  command
    .option('--json', 'as JSON')
    .option(
      '--since <time>',
      "what changed since then (default: since the workspace's session started, else a day ago)",
    )
    .action(() => report(app, flagsOf<Options>(command)));
}

async function report(app: App, options: Options): Promise<void> {
  const workspace = workspacePath(app.cwd, options.workspace ?? '.');
  const ended = await endedSessions(app, workspace);
  const since =
    options.since === undefined
      ? await sessionStart(app, options, workspace, ended)
      : parseTime(options.since);
  const { files, complete } = await handoffReport(app, options, workspace, since);
  const lately = ended.filter(({ endedAt }) => Date.parse(endedAt) >= since.getTime());
  const unseen = [...new Set(lately.flatMap((session) => session.unseen ?? []))];
  for (const path of unseen) app.io.warn(unseenText(oneLine(path)));
  const stripped = lately.flatMap((session) =>
    session.stripped.flatMap((file) => strippedEntry(workspace, file)),
  );
  const entries = [...stripped, ...files];
  const whole = complete && unseen.length === 0;
  if (!complete)
    app.io.warn(`the workspace has more than ${entriesMax} entries; the rest was not looked at`);
  if (options.json) {
    app.io.printJson({ workspace, since: since.toISOString(), complete: whole, files: entries });
    return;
  }
  if (entries.length === 0) {
    app.io.print(`Nothing that the host would run changed since ${since.toISOString()}.`);
    return;
  }
  app.io.print(
    table(
      ['FILE', 'WHY'],
      entries.map(({ path, why }) => [oneLine(path), why]),
    ).join('\n'),
  );
}

/** Of the oldest session that runs, else of the last one that ended, else a day ago. */
async function sessionStart(
  app: App,
  options: GlobalOptions,
  workspace: string,
  ended: Awaited<ReturnType<typeof endedSessions>>,
): Promise<Date> {
  const own = await ownContainers(app, options);
  const starts = own
    .filter(({ session }) => session?.workspace === workspace)
    .map(({ instance }) => new Date(instance.created_at).getTime());
  if (starts.length > 0) return new Date(Math.min(...starts));
  return new Date(ended[0]?.startedAt ?? app.clock.now().getTime() - dayMs);
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new CoiError('usage', `invalid --since ${quoted(text)}`, {
    hint: 'Give a time such as 2026-01-02T03:04.',
  });
}
