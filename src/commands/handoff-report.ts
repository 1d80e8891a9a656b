// What of a workspace's changes the host would run, as `coi handoff` and the end of a session tell it.
import type { App } from '../app.ts';
import type { EndedSession } from '../daemon/protocol.ts';
import { CoiError } from '../errors.ts';
import { walk } from '../host/walk.ts';
import type { WorkspacePath } from '../names.ts';
import { type HandoffEntry, handoff, isWorthWalking, strippedEntry } from '../session/handoff.ts';
import { protectRequest } from '../session/protect-request.ts';
import { oneLine } from '../ui/printable.ts';
import { config } from './prepare.ts';

export interface HandoffReport {
  readonly since: Date;
  /** False if there was more than could be looked at. */
  readonly complete: boolean;
  readonly files: readonly HandoffEntry[];
}

export const entriesMax = 200_000;
const quickEntriesMax = 20_000;
const shownMax = 10;

export async function handoffReport(
  app: App,
  options: Parameters<typeof config>[1],
  workspace: WorkspacePath,
  since: Date,
  max = entriesMax,
): Promise<HandoffReport> {
  const { settings } = await config(app, options, workspace);
  const paths = protectRequest(settings)?.paths ?? [];
  const { found, complete } = walk(workspace, isWorthWalking, max);
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
  return { since, complete, files: handoff(files, since.getTime(), isProtected) };
}

/** What coid knows of the sessions of a workspace that have ended, the latest first; undefined where it does not answer. */
export async function endedSessions(
  app: App,
  workspace: string,
  container?: string,
): Promise<readonly EndedSession[] | undefined> {
  try {
    const coid = await app.coid();
    return await coid.ended({ workspace, container }, { signal: new AbortController().signal });
  } catch (error) {
    if (error instanceof CoiError) return undefined;
    throw error;
  }
}

/** Why it is not known that none of what sessions made runs with foreign rights; undefined where it is. */
export function notLookedAt(ended: readonly EndedSession[] | undefined): string | undefined {
  if (!ended)
    return 'coid does not answer: whether sessions left files with setuid, setgid or capabilities is not known';
  const open = ended.find(({ complete }) => complete === false);
  return (
    open &&
    `not all that ${open.container} could write was looked through yet: files with setuid, setgid or capabilities may be left; coid goes on, see \`coi handoff\` later`
  );
}

/** Of files whose names were too many to keep. */
export function unnamedCount(ended: readonly EndedSession[]): number {
  return ended
    .map(({ stripped, strippedCount = stripped.length }) => strippedCount - stripped.length)
    .reduce((sum, count) => sum + count, 0);
}

/** A prompt that waits: what can be seen at once, in a line. Never throws. */
export async function tellHandoffShortly(
  app: App,
  options: Parameters<typeof config>[1],
  workspace: WorkspacePath,
  since: Date,
): Promise<void> {
  try {
    const { files } = await handoffReport(app, options, workspace, since, quickEntriesMax);
    if (files.length === 0) return;
    const what = files.length === 1 ? 'file' : 'files';
    app.io.tell(
      `${files.length} changed ${what} in ${workspace} that the host may run or obey: see \`coi handoff\``,
    );
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
  }
}

/** A session has ended: says on stderr what of its changes the host would run. Never throws: the end must not fail for it. */
export async function tellHandoff(
  app: App,
  options: Parameters<typeof config>[1],
  { workspace, container }: { readonly workspace: string; readonly container: string },
): Promise<void> {
  try {
    const ended = await endedSessions(app, workspace, container);
    const own = ended?.find((session) => session.container === container);
    const unknown = notLookedAt(ended && own ? [own] : ended);
    if (unknown !== undefined) app.io.warn(unknown);
    if (!own) return;
    const since = new Date(own.startedAt);
    const { files } = await handoffReport(app, options, workspace as WorkspacePath, since);
    const taken = own.stripped.flatMap((file) => strippedEntry(workspace, file));
    const all = [...taken, ...files];
    const count = all.length + unnamedCount([own]);
    if (count === 0) return;
    app.io.tell(
      `[cleanup] ${count} changed ${count === 1 ? 'file' : 'files'} that the host may run or obey; look before you do:`,
    );
    for (const { path, why } of all.slice(0, shownMax))
      app.io.tell(`[cleanup]   ${oneLine(path)} - ${why}`);
    if (count > shownMax) app.io.tell(`[cleanup]   and ${count - shownMax} more: \`coi handoff\``);
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    app.io.warn(`what the session changed could not be looked at: ${error.message}`);
  }
}
