// The file system interface of the hand-off report, and path resolution on it. Pure.

export interface EntryStats {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Permission bits. */
  readonly mode: number;
  readonly modifiedMs: number;
  /** When the inode last changed. Only the kernel sets it, also on a rename. */
  readonly changedMs: number;
  /** When the inode was created; 0 if unknown. */
  readonly bornMs: number;
}

export const textMax = 65_536;

/** Paths are relative to the workspace, '' is the workspace itself; absolute paths are host paths. */
export interface WorkspaceTree {
  /** Stats of the entry itself, without following a link; undefined if it does not exist. */
  readonly stats: (path: string) => EntryStats | undefined;
  readonly linkTarget: (path: string) => string | undefined;
  /** Names in a directory, through links; undefined if it cannot be read. */
  readonly names: (path: string) => readonly string[] | undefined;
  /** The first 64 KiB of a regular file, through links; undefined if it does not exist. */
  readonly text: (path: string) => string | undefined;
  /** Whether the user may enter or run it, through links: access(2) with X_OK. */
  readonly mayEnter: (path: string) => boolean;
}

/** Like `tree.text`, but empty for a file that is gone: coid may still be removing placeholders of a session that ended. */
export function presentText(tree: WorkspaceTree, path: string): string | undefined {
  return tree.text(path) ?? (tree.stats(path) ? undefined : '');
}

export interface FollowedPath {
  /** The target: a path in the workspace, an absolute one outside of it, or undefined if missing. */
  readonly path: string | undefined;
  readonly stats: EntryStats | undefined;
  /** All links and directories in the workspace on the way, without the last entry. */
  readonly passed: readonly string[];
}

const linksMax = 40;

/** Resolves a path as the kernel does. `root` is the real path of the workspace. */
export function followPath(tree: WorkspaceTree, root: string, path: string): FollowedPath {
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
      else return outside(joinRest(parentOf(root), open));
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
      if (target !== root && !target.startsWith(`${root}/`)) return outside(joinRest(target, open));
      at = '';
      open.push(...target.slice(root.length).split('/').toReversed());
    } else open.push(...target.split('/').toReversed());
  }
  return { path: at, stats: tree.stats(at), passed };

  function outside(absolute: string): FollowedPath {
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

/** Removes `.`, `..` and empty parts from an absolute path; relative paths are unchanged. */
export function normalize(path: string): string {
  if (!path.startsWith('/')) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Joins paths; absolute ones are unchanged. */
export function joinPath(top: string, path: string): string {
  return top === '' || path.startsWith('/') ? path : `${top}/${path}`;
}

function joinRest(top: string, rest: readonly string[]): string {
  return [top, ...rest.toReversed()].join('/').replaceAll(/\/{2,}/g, '/');
}
