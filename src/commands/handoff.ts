// coi handoff: what changed in the workspace that something on the host would run.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { walk } from '../host/walk.ts';
import { quoted } from '../names.ts';
import { handoff, isWorthWalking } from '../session/handoff.ts';
import { protectRequest } from '../session/protect.ts';
import { workspacePath } from '../session/workspace.ts';
import { oneLine } from '../ui/printable.ts';
import { table } from '../ui/table.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { flagsOf } from './global.ts';
import { config } from './prepare.ts';

interface Options extends GlobalOptions {
  json?: boolean;
  since?: string;
}

const entriesMax = 200_000;
const dayMs = 86_400_000;

export function register(command: Command, app: App): void {
  command
    .option('--json', 'as JSON')
    .option(
      '--since <time>',
      "what changed since then (default: since the workspace's oldest session started, else a day ago)",
    )
    .action(() => report(app, flagsOf<Options>(command)));
}

async function report(app: App, options: Options): Promise<void> {
  const workspace = workspacePath(app.cwd, options.workspace ?? '.');
  const { settings } = await config(app, options, workspace);
  const since =
    options.since === undefined
      ? await sessionStart(app, options, workspace)
      : parseTime(options.since);
  const paths = protectRequest(settings)?.paths ?? [];
  const { found, complete } = walk(workspace, isWorthWalking, entriesMax);
  const files = found.map(({ path, stats }) => ({
    path,
    kind: stats.isDirectory()
      ? ('directory' as const)
      : stats.isSymbolicLink()
        ? ('link' as const)
        : ('file' as const),
    mode: stats.mode & 0o7777,
    modifiedMs: stats.mtimeMs,
    changedMs: stats.ctimeMs,
  }));
  const isProtected = (path: string) =>
    paths.some((one) => path === one || path.startsWith(`${one}/`));
  const entries = handoff(files, since.getTime(), isProtected);
  if (!complete)
    app.io.warn(`the workspace has more than ${entriesMax} entries; the rest was not looked at`);
  if (options.json) {
    app.io.printJson({ workspace, since: since.toISOString(), complete, files: entries });
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

async function sessionStart(app: App, options: GlobalOptions, workspace: string): Promise<Date> {
  const own = await ownContainers(app, options);
  const starts = own
    .filter(({ session }) => session?.workspace === workspace)
    .map(({ instance }) => new Date(instance.created_at).getTime());
  return new Date(starts.length > 0 ? Math.min(...starts) : app.clock.now().getTime() - dayMs);
}

function parseTime(text: string): Date {
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new CoiError('usage', `invalid --since ${quoted(text)}`, {
    hint: 'Give a time such as 2026-01-02T03:04.',
  });
}
