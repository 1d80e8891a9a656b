// What the hand-off report asks about a workspace, and where a path in it leads. Pure: the answers are handed in.

export interface EntryStats {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly modifiedMs: number;
  /** When the inode last changed, which nobody but the kernel sets. A rename does this to what is renamed. */
  readonly changedMs: number;
  /** When the inode was made; 0 where the file system does not say. */
  readonly bornMs: number;
}

export const textMax = 65_536;

/** Paths are relative to the workspace, '' is the workspace itself; absolute ones are of the host. */
export interface Tree {
  /** Of the entry itself, also of a link; undefined if there is none. */
  readonly stats: (path: string) => EntryStats | undefined;
  readonly linkTarget: (path: string) => string | undefined;
  /** Names in a directory, through links; undefined if it cannot be read. */
  readonly names: (path: string) => readonly string[] | undefined;
  /** The first 64 KiB of a regular file, through links; undefined if there is none. */
  readonly text: (path: string) => string | undefined;
  /** Whether the user may enter or run it, through links: what access(2) says to X_OK. */
  readonly mayEnter: (path: string) => boolean;
}

export interface Followed {
  /** What stands at the end: a path in the workspace, an absolute one outside of it, or undefined for nothing. */
  readonly path: string | undefined;
  readonly stats: EntryStats | undefined;
  /** Every link and every directory in the workspace that was passed, the last entry not included. */
  readonly passed: readonly string[];
}

const linksMax = 40;

/** Where a path leads, as the kernel would go. `root` is the real path of the workspace. */
export function follow(tree: Tree, root: string, path: string): Followed {
  const passed: string[] = [];
  const open = path.split('/').toReversed();
  let at = '';
  let links = 0;
  while (open.length > 0) {
    const part = open.pop() ?? '';
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (at !== '') at = parentOf(at);
      else if (open.at(-1) === nameOf(root)) open.pop();
      else return outside(joined(parentOf(root), open));
      continue;
    }
    const next = at === '' ? part : `${at}/${part}`;
    const stats = tree.stats(next);
    if (!stats) return { path: undefined, stats: undefined, passed };
    if (stats.kind !== 'link') {
      if (open.some((one) => one !== '' && one !== '.')) passed.push(next);
      at = next;
      continue;
    }
    passed.push(next);
    links += 1;
    const target = tree.linkTarget(next);
    if (target === undefined || links > linksMax)
      return { path: undefined, stats: undefined, passed };
    if (target.startsWith('/')) {
      if (target !== root && !target.startsWith(`${root}/`)) return outside(joined(target, open));
      at = '';
      open.push(...target.slice(root.length).split('/').toReversed());
    } else open.push(...target.split('/').toReversed());
  }
  return { path: at, stats: tree.stats(at), passed };

  function outside(absolute: string): Followed {
    return { path: absolute, stats: tree.stats(absolute), passed };
  }
}

export function parentOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end < 0 ? '' : path.slice(0, end);
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** An absolute path without `.`, `..` and empty parts; a relative one as it is. */
export function normalised(path: string): string {
  if (!path.startsWith('/')) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Absolute paths stay what they are. */
export function inside(top: string, path: string): string {
  return top === '' || path.startsWith('/') ? path : `${top}/${path}`;
}

function joined(top: string, rest: readonly string[]): string {
  return [top, ...rest.toReversed()].join('/').replaceAll(/\/{2,}/g, '/');
}
