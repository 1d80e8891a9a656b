// coi handoff: what changed in the workspace that something on the host would run.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import type { EndedSession } from '../daemon/protocol.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { strippedEntry } from '../session/handoff.ts';
import { workspacePath } from '../session/workspace.ts';
import { oneLine } from '../ui/printable.ts';
import { table } from '../ui/table.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { flagsOf } from './global.ts';
import {
  endedSessions,
  entriesMax,
  handoffReport,
  notLookedAt,
  unnamedCount,
} from './handoff-report.ts';

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
  const known = await endedSessions(app, workspace);
  const ended = known ?? [];
  const since =
    options.since === undefined
      ? await sessionStart(app, options, workspace, ended)
      : parseTime(options.since);
  const { files, complete: walked } = await handoffReport(app, options, workspace, since);
  const meant = ended.filter(
    ({ endedAt, complete }) => complete === false || Date.parse(endedAt) >= since.getTime(),
  );
  const stripped = meant.flatMap((session) =>
    session.stripped.flatMap((file) => strippedEntry(workspace, file)),
  );
  const entries = [...stripped, ...files];
  const unnamed = unnamedCount(meant);
  const unknown = notLookedAt(known && meant);
  if (unknown !== undefined) app.io.warn(unknown);
  if (!walked)
    app.io.warn(`the workspace has more than ${entriesMax} entries; the rest was not looked at`);
  const complete = walked && unknown === undefined;
  if (options.json) {
    const told = { workspace, since: since.toISOString(), complete, files: entries };
    app.io.printJson({ ...told, stripped_unnamed: unnamed });
    return;
  }
  if (entries.length + unnamed === 0) {
    if (complete)
      app.io.print(`Nothing that the host would run changed since ${since.toISOString()}.`);
    return;
  }
  app.io.print(
    table(
      ['FILE', 'WHY'],
      entries.map(({ path, why }) => [oneLine(path), why]),
    ).join('\n'),
  );
  if (unnamed > 0)
    app.io.print(
      `and ${unnamed} more that had setuid, setgid or capabilities, which coi took away`,
    );
}

/** Of the oldest session that runs, else of the last one that ended, else a day ago. */
async function sessionStart(
  app: App,
  options: GlobalOptions,
  workspace: string,
  ended: readonly EndedSession[],
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
