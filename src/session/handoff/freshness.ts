// Decides what has changed since the sessions began. Pure.
import { type EntryStats, type FollowedPath, parentOf, type WorkspaceTree } from './tree.ts';

export interface TimeWindow {
  readonly sinceMs: number;
  /**
   * Paths that coid guarded in all sessions of that time. Guarding changes their inodes, and no agent could write, rename or
   * replace them, so only their modification time counts.
   */
  readonly guarded: ReadonlySet<string>;
}

export function isChanged(
  { sinceMs, guarded }: TimeWindow,
  path: string,
  { kind, modifiedMs, changedMs }: EntryStats,
): boolean {
  if (!guarded.has(path)) return isSince(changedMs, sinceMs);
  return kind !== 'directory' && isSince(modifiedMs, sinceMs);
}

/** Some file systems only store whole seconds, rounded down. */
export function isSince(atMs: number, sinceMs: number): boolean {
  return atMs >= (atMs % 1000 === 0 ? Math.floor(sinceMs / 1000) * 1000 : sinceMs);
}

/** Whether a directory may have been renamed since then: a rename changes the entry and its parent directory. */
export function mayBeRenamed(window: TimeWindow, tree: WorkspaceTree, path: string): boolean {
  if (path === '') return false;
  const own = tree.stats(path);
  const above = tree.stats(parentOf(path));
  return Boolean(
    own &&
      above &&
      isChanged(window, path, own) &&
      (window.guarded.has(parentOf(path)) || isSince(above.changedMs, window.sinceMs)),
  );
}

/**
 * Whether a directory's inode changed but not its content: the mark of a rename (or of a changed timestamp, which is also
 * suspicious). Then everything in it is at a new path.
 */
export function isMoved(window: TimeWindow, path: string, stats: EntryStats): boolean {
  return isChanged(window, path, stats) && stats.modifiedMs !== stats.changedMs;
}

/** Whether a link on the way was replaced, or a directory may have been renamed since then. */
export function isRouteChanged(
  window: TimeWindow,
  tree: WorkspaceTree,
  { passed }: FollowedPath,
): boolean {
  return passed.some((one) => {
    const found = tree.stats(one);
    if (!found) return true;
    return found.kind === 'link' ? isChanged(window, one, found) : mayBeRenamed(window, tree, one);
  });
}

const targetEntriesMax = 5000;

/** Whether the target of a path through links may have changed. */
export function isTargetChanged(
  window: TimeWindow,
  tree: WorkspaceTree,
  followed: FollowedPath,
): boolean {
  const { path, stats } = followed;
  if (isRouteChanged(window, tree, followed)) return true;
  if (path === undefined || !stats || path.startsWith('/')) return false;
  if (stats.kind !== 'directory') return isChanged(window, path, stats);
  if (mayBeRenamed(window, tree, path)) return true;
  const open = [path];
  let seen = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const name of tree.names(next) ?? []) {
      const one = next === '' ? name : `${next}/${name}`;
      const found = tree.stats(one);
      seen += 1;
      // Beyond the limit, it counts as changed.
      if (!found || seen > targetEntriesMax) return true;
      if (found.kind === 'directory') open.push(one);
      else if (isChanged(window, one, found)) return true;
    }
  }
  return false;
}
