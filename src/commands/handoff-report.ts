// What of a workspace's changes the host would run, as `coi handoff` and the end of a session tell it.
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { walk } from '../host/walk.ts';
import type { WorkspacePath } from '../names.ts';
import {
  type HandoffEntry,
  handoff,
  isWorthWalking,
  strippedEntry,
  unseenText,
} from '../session/handoff.ts';
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

/** What coid knows of the sessions of a workspace that have ended, the latest first; nothing where it is away. */
export async function endedSessions(app: App, workspace: string, container?: string) {
  try {
    const coid = await app.coid();
    return await coid.ended({ workspace, container }, { signal: new AbortController().signal });
  } catch (error) {
    if (error instanceof CoiError) return [];
    throw error;
  }
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
    const own = ended.find((session) => session.container === container);
    if (!own) return;
    for (const path of own.unseen ?? []) app.io.warn(unseenText(oneLine(path)));
    const since = new Date(own.startedAt);
    const { files } = await handoffReport(app, options, workspace as WorkspacePath, since);
    const taken = own.stripped.flatMap((file) => strippedEntry(workspace, file));
    const all = [...taken, ...files];
    if (all.length === 0) return;
    app.io.tell(
      `[cleanup] ${all.length} changed ${all.length === 1 ? 'file' : 'files'} that the host may run or obey; look before you do:`,
    );
    for (const { path, why } of all.slice(0, shownMax))
      app.io.tell(`[cleanup]   ${oneLine(path)} - ${why}`);
    if (all.length > shownMax)
      app.io.tell(`[cleanup]   and ${all.length - shownMax} more: \`coi handoff\``);
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    app.io.warn(`what the session changed could not be looked at: ${error.message}`);
  }
}
