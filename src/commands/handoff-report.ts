// What of a workspace's changes the host would run, as `coi handoff` and the end of a session tell it.
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { App } from '../app.ts';
import type { EndedReply, EndedSession } from '../daemon/protocol.ts';
import { CoiError } from '../errors.ts';
import { heldPaths } from '../host/answers.ts';
import { textBytesMax } from '../host/guarded.ts';
import { type WalkedEntry, walkDirectories } from '../host/walk-directories.ts';
import { workspaceTree } from '../host/workspace-tree.ts';
import type { Window } from '../session/handoff/freshness.ts';
import { Look } from '../session/handoff/look.ts';
import { crowdedIn, namedByGit } from '../session/handoff/named.ts';
import { textMax } from '../session/handoff/tree.ts';
import {
  guardedThroughout,
  type HandoffFindings,
  handoffLines,
  incompleteLines,
  type NotLookedAt,
  strippedEntry,
  sweepGaps,
} from '../session/handoff.ts';
import { oneLine } from '../ui/printable.ts';

/** More than that takes minutes, and memory. */
export const entriesMax = 3_000_000;
/** About a third of a second. */
export const quickEntriesMax = 200_000;
/** The end of a session waits no longer for its files. */
const reportMs = 3000;
const shownMax = 10;
const namedMax = 3;

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
  app: App,
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

/** A prompt that waits: what can be seen at once, in a line. Never throws. */
export async function tellHandoffShortly(app: App, workspace: string, since: Date): Promise<void> {
  const sessions = (await sessionsOf(app, workspace)) ?? nothingKnown;
  const findings = await answeredFindings(workspace, {
    since,
    sessions,
    thorough: false,
    max: quickEntriesMax,
  });
  const lines = handoffLines(findings);
  tellIncomplete(app, findings.notLookedAt, '');
  if (lines.length === 0) return;
  // A later session has a report of its own: what is not named here may never be.
  const named = lines.slice(0, namedMax).map(({ path }) => oneLine(path));
  const more = lines.length > namedMax ? ` and ${lines.length - namedMax} more` : '';
  app.io.tell(
    `${counted(lines.length)} in ${workspace} that the host may run or obey: ${named.join(', ')}${more}; see \`coi handoff\``,
  );
}

/** A session has ended: says on stderr what of its changes the host would run. Never throws: the end must not fail for it. */
export async function tellHandoff(
  app: App,
  { workspace, container }: { readonly workspace: string; readonly container: string },
): Promise<void> {
  tellLooking(app);
  const sessions = (await sessionsOf(app, workspace, container)) ?? nothingKnown;
  const ended = sessions.sessions.find((session) => session.container === container);
  const own = ended ?? sessions.open.find((session) => session.container === container);
  if (!own)
    return app.io.warn(
      'what the session changed was not looked at, since coid does not say when it began; see `coi handoff --since`',
    );
  const findings = await answeredFindings(workspace, {
    since: new Date(own.startedAt),
    sessions,
    // coid has looked for set-id files.
    thorough: false,
    max: entriesMax,
  });
  const gaps = sweepGaps(ended ? [ended] : []);
  if (app.io.live) app.io.overwrite('');
  const mark = app.io.brief ? '' : '[cleanup] ';
  tellIncomplete(app, [...gaps, ...findings.notLookedAt], mark);
  const taken = (ended?.stripped ?? []).flatMap((file) => strippedEntry(workspace, file));
  const all = [...taken, ...handoffLines(findings)];
  const count = all.length + unnamedCount(ended ? [ended] : []);
  if (count === 0) return;
  app.io.tell(`${mark}${counted(count)} that the host may run or obey; look before you do:`);
  for (const { path, why } of all.slice(0, shownMax))
    app.io.tell(`${mark}  ${oneLine(path)} - ${oneLine(why)}`);
  if (count > shownMax) app.io.tell(`${mark}  and ${count - shownMax} more: \`coi handoff\``);
}

/** The walk holds everything else up, so nothing could be shown once it turns out to be long. */
function tellLooking({ io }: App): void {
  if (io.brief && io.live)
    io.overwrite(io.storyStyle.dim('Looking at what the session changed...'));
}

function tellIncomplete(app: App, notLookedAt: readonly NotLookedAt[], prefix: string): void {
  const [first, ...others] = incompleteLines(notLookedAt);
  if (first === undefined) return;
  app.io.warn(`${prefix}${first}`);
  for (const line of others) app.io.tell(`${prefix}${oneLine(line)}`);
}

function counted(count: number): string {
  return `${count} changed ${count === 1 ? 'file' : 'files'}`;
}
