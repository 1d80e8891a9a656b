// Finds the changes of a workspace that the host might execute, for `coi handoff` and the end of a session.
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { EndedReply, EndedSession } from '../../coid-api/ended-protocol.ts';
import { CoiError } from '../../errors.ts';
import { textBytesMax } from '../../host/fs/beneath.ts';
import { hungMountCheck } from '../../host/fs/meta/hung-mounts.ts';
import { type WalkedEntry, walkDirectories } from '../../host/fs/walk-directories.ts';
import { workspaceTree } from '../../host/fs/workspace-tree.ts';
import { guardedThroughout, type HandoffFindings } from '../../session/handoff/findings.ts';
import type { TimeWindow } from '../../session/handoff/freshness.ts';
import { namedByGit, uninspectedDirectories } from '../../session/handoff/named-by-git.ts';
import { textMax } from '../../session/handoff/tree.ts';
import { WorkspaceScan } from '../../session/handoff/workspace-scan.ts';
import type { AppContext } from '../context.ts';

/** More than that takes minutes, and memory. */
export const entriesMax = 3_000_000;
/** Takes about a third of a second. */
export const quickEntriesMax = 200_000;
/** Time that the end of a session waits for the file systems. */
const reportMs = 3000;

export const noSessions: EndedReply = { sessions: [], open: [] };

export interface HandoffRequest {
  readonly since: Date;
  readonly sessions: EndedReply;
  /** Check every entry, even with an unsuspicious name. */
  readonly thorough: boolean;
  readonly max: number;
  /** Whether the file system of a path does not answer. */
  readonly isHeld?: (path: string) => boolean;
}

/** Checks nothing if a file system does not answer within some seconds. */
export async function boundedFindings(
  workspace: string,
  request: HandoffRequest,
): Promise<HandoffFindings> {
  const { open, sessions } = request.sessions;
  const directories = [...open, ...sessions].flatMap(({ common }) => common ?? []);
  const isHeld = await hungMountCheck(reportMs);
  const hung = [workspace, ...directories].find(isHeld);
  if (hung !== undefined) return nothingFound(`the file system of ${hung} does not answer`);
  return handoffFindings(workspace, { ...request, isHeld });
}

/** Checks the whole workspace. Depends on nothing in it but the files it looks for. */
export function handoffFindings(
  workspace: string,
  { since, sessions, thorough, max, isHeld }: HandoffRequest,
): HandoffFindings {
  const root = realPath(workspace);
  if (root === undefined) return nothingFound('the workspace cannot be reached');
  const sinceMs = since.getTime();
  const all = [...sessions.open, ...sessions.sessions];
  const guarded = guardedThroughout(all, sinceMs);
  const how = { window: { sinceMs, guarded }, thorough, max, ...(isHeld ? { isHeld } : {}) };
  const own = findingsBelow(root, '', how);
  const named = namedByGit(
    workspaceTree(root, textBytesMax, isHeld),
    root,
    how.window,
    textBytesMax,
  );
  const reported = new Set(own.files.map(({ path }) => path));
  const more = { ...named, files: named.files.filter(({ path }) => !reported.has(path)) };
  const commons = new Set(all.flatMap(({ common }) => common ?? []));
  const others = [...commons].map((common) => commonFindings(common, how));
  return {
    ...own,
    files: [own, more, ...others].flatMap(({ files }) => files),
    notLookedAt: [own, more, ...others].flatMap(({ notLookedAt }) => notLookedAt),
  };
}

function nothingFound(why: string): HandoffFindings {
  return { files: [], hidden: [], installed: [], notLookedAt: [{ path: '', why }] };
}

interface ScanOptions extends Pick<HandoffRequest, 'thorough' | 'max' | 'isHeld'> {
  readonly window: TimeWindow;
}

/** `from`: the part of the root to check. */
function findingsBelow(root: string, from: string, how: ScanOptions): HandoffFindings {
  const { max, window, thorough, isHeld } = how;
  const scan = new WorkspaceScan({
    window,
    thorough,
    tree: workspaceTree(root, textMax, isHeld),
    root,
  });
  const visit = (path: string, entries: readonly WalkedEntry[]) => scan.directory(path, entries);
  const notLookedAt = walkDirectories(root, max, visit, from);
  return { ...scan.result(), notLookedAt };
}

/** Findings in the git directory that a worktree shares with others, with absolute paths. */
function commonFindings(common: string, how: ScanOptions): HandoffFindings {
  const root = dirname(common);
  const guarded = [...how.window.guarded].flatMap((path) =>
    path.startsWith(`${root}/`) ? [path.slice(root.length + 1)] : [],
  );
  const window = { ...how.window, guarded: new Set(guarded) };
  const found = findingsBelow(root, basename(common), { ...how, window });
  const whole = <T extends { readonly path: string }>(one: T) => ({
    ...one,
    path: join(root, one.path),
  });
  const tree = workspaceTree(root, textBytesMax, how.isHeld);
  const crowded = uninspectedDirectories(tree, root, basename(common), textBytesMax);
  const notLookedAt = [...found.notLookedAt, ...crowded].map(whole);
  return { ...found, files: found.files.map(whole), notLookedAt };
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // Missing or inaccessible: both are reported in the same words.
    return undefined;
  }
}

/** The sessions of a workspace that coid knows; undefined if it does not answer. */
export async function knownSessions(
  app: AppContext,
  workspace: string,
  container?: string,
): Promise<EndedReply | undefined> {
  try {
    const coid = await app.coid();
    return await coid.endedSessions(
      { workspace, container },
      { signal: new AbortController().signal },
    );
  } catch (error) {
    if (error instanceof CoiError) return undefined;
    throw error;
  }
}

/** Number of files whose names were not kept because there were too many. */
export function unnamedCount(ended: readonly EndedSession[]): number {
  return ended
    .map(({ stripped, strippedCount = stripped.length }) => strippedCount - stripped.length)
    .reduce((sum, count) => sum + count, 0);
}
