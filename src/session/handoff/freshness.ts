// What counts as changed since the sessions began. Pure.
import { type EntryStats, type Followed, parentOf, type Tree } from './tree.ts';

export interface Window {
  readonly sinceMs: number;
  /**
   * Paths that coid guarded in each session of that time: putting them under guard and out of it changes their inodes,
   * and nobody inside could write, rename or replace them. So they count by when they were written.
   */
  readonly guarded: ReadonlySet<string>;
}

export function isChanged(
  { sinceMs, guarded }: Window,
  path: string,
  { kind, modifiedMs, changedMs }: EntryStats,
): boolean {
  if (!guarded.has(path)) return isSince(changedMs, sinceMs);
  return kind !== 'directory' && isSince(modifiedMs, sinceMs);
}

/** A file system that knows whole seconds only gives the beginning of that second. */
export function isSince(atMs: number, sinceMs: number): boolean {
  return atMs >= (atMs % 1000 === 0 ? Math.floor(sinceMs / 1000) * 1000 : sinceMs);
}

/** A directory that may have got its name since then: a rename touches what is renamed and the directory that holds it. */
export function mayBeRenamed(window: Window, tree: Tree, path: string): boolean {
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
 * A directory whose inode changed without its content: a rename does that (or somebody who sets times, which only hides
 * something). Then everything in it is where it was not before.
 */
export function wasMoved(window: Window, path: string, stats: EntryStats): boolean {
  return isChanged(window, path, stats) && stats.modifiedMs !== stats.changedMs;
}

/** Whether a link on the way is another, or a directory may have got its name since then. */
export function isWayChanged(window: Window, tree: Tree, { passed }: Followed): boolean {
  return passed.some((one) => {
    const found = tree.stats(one);
    if (!found) return true;
    return found.kind === 'link' ? isChanged(window, one, found) : mayBeRenamed(window, tree, one);
  });
}

const targetEntriesMax = 5000;

/** Whether what stands at the end of a path that goes through links may be another than it was. */
export function leadsToChange(window: Window, tree: Tree, followed: Followed): boolean {
  const { path, stats } = followed;
  if (isWayChanged(window, tree, followed)) return true;
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
      // More than can be looked at counts as changed.
      if (!found || seen > targetEntriesMax) return true;
      if (found.kind === 'directory') open.push(one);
      else if (isChanged(window, one, found)) return true;
    }
  }
  return false;
}
