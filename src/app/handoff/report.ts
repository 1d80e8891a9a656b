// What of a workspace's changes the host would run, as `coi handoff` and the end of a session tell it.
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { EndedReply, EndedSession } from '../../coid-api/ended-protocol.ts';
import { CoiError } from '../../errors.ts';
import { textBytesMax } from '../../host/fs/beneath.ts';
import { heldPaths } from '../../host/fs/meta/answers.ts';
import { type WalkedEntry, walkDirectories } from '../../host/fs/walk-directories.ts';
import { workspaceTree } from '../../host/fs/workspace-tree.ts';
import type { Window } from '../../session/handoff/freshness.ts';
import { guardedThroughout, type HandoffFindings } from '../../session/handoff/judge.ts';
import { Look } from '../../session/handoff/look.ts';
import { crowdedIn, namedByGit } from '../../session/handoff/named.ts';
import { textMax } from '../../session/handoff/tree.ts';
import type { AppContext } from '../context.ts';

/** More than that takes minutes, and memory. */
export const entriesMax = 3_000_000;
/** About a third of a second. */
export const quickEntriesMax = 200_000;
/** The end of a session waits no longer for its files. */
const reportMs = 3000;

export const nothingKnown: EndedReply = { sessions: [], open: [] };

export interface LookWish {
  readonly since: Date;
  readonly sessions: EndedReply;
  /** Every entry is looked at, also where its name says nothing. */
  readonly thorough: boolean;
  readonly max: number;
  /** What does not answer. */
  readonly isHeld?: (path: string) => boolean;
}

/** The same where it may not answer: then nothing is looked at, after some seconds. */
export async function answeredFindings(
  workspace: string,
  wish: LookWish,
): Promise<HandoffFindings> {
  const { open, sessions } = wish.sessions;
  const places = [...open, ...sessions].flatMap(({ common }) => common ?? []);
  const isHeld = await heldPaths(reportMs);
  const held = [workspace, ...places].find(isHeld);
  if (held !== undefined) return nothingFound(`the file system of ${held} does not answer`);
  return handoffFindings(workspace, { ...wish, isHeld });
}

/** Looks at the whole workspace. Does not depend on anything in it but what it looks for. */
export function handoffFindings(
  workspace: string,
  { since, sessions, thorough, max, isHeld }: LookWish,
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
  const told = new Set(own.files.map(({ path }) => path));
  const more = { ...named, files: named.files.filter(({ path }) => !told.has(path)) };
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

interface HowToLook extends Pick<LookWish, 'thorough' | 'max' | 'isHeld'> {
  readonly window: Window;
}

/** `from` is what of it is looked at. */
function findingsBelow(root: string, from: string, how: HowToLook): HandoffFindings {
  const { max, window, thorough, isHeld } = how;
  const look = new Look({ window, thorough, tree: workspaceTree(root, textMax, isHeld), root });
  const visit = (path: string, entries: readonly WalkedEntry[]) => look.directory(path, entries);
  const notLookedAt = walkDirectories(root, max, visit, from);
  return { ...look.result(), notLookedAt };
}

/** Of the git directory that a worktree shares with others: paths are absolute. */
function commonFindings(common: string, how: HowToLook): HandoffFindings {
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
  const crowded = crowdedIn(tree, root, basename(common), textBytesMax);
  const notLookedAt = [...found.notLookedAt, ...crowded].map(whole);
  return { ...found, files: found.files.map(whole), notLookedAt };
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    // Gone, or not the user's to reach: both are told in the same words.
    return undefined;
  }
}

/** What coid knows of the sessions of a workspace; undefined where it does not answer. */
export async function sessionsOf(
  app: AppContext,
  workspace: string,
  container?: string,
): Promise<EndedReply | undefined> {
  try {
    const coid = await app.coid();
    return await coid.ended({ workspace, container }, { signal: new AbortController().signal });
  } catch (error) {
    if (error instanceof CoiError) return undefined;
    throw error;
  }
}

/** Of files whose names were too many to keep. */
export function unnamedCount(ended: readonly EndedSession[]): number {
  return ended
    .map(({ stripped, strippedCount = stripped.length }) => strippedCount - stripped.length)
    .reduce((sum, count) => sum + count, 0);
}
