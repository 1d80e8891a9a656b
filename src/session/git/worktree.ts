// A linked worktree of git: its `.git` is a file, and what it names lies in the git directory that all worktrees of a
// repository share, outside of the workspace. Both name each other, or it is none. Pure.
import { resolve } from 'node:path';
import { gitFileTarget, lineOf } from './git-file.ts';

export interface WorktreeLink {
  /** The shared directory: `.git` of the main checkout, or a bare repository. */
  readonly common: string;
  /** Name of the directory in `worktrees/` of it that belongs to this worktree. */
  readonly id: string;
  /** Named by its whole path, not by one from the worktree. */
  readonly absolute: boolean;
}

/** Larger than any file of git that holds a path. */
export const linkBytesMax = 8192;

/** Where the file `.git` in a directory leads, if it has the form that `git worktree add` writes. */
export function worktreeLink(directory: string, gitFile: string): WorktreeLink | undefined {
  const named = gitFileTarget(gitFile);
  if (named === undefined) return undefined;
  const [, common, id] = /^(\/.+)\/worktrees\/([^/]+)$/.exec(resolve(directory, named)) ?? [];
  if (common === undefined || id === undefined) return undefined;
  return { common, id, absolute: named.startsWith('/') };
}

/**
 * Whether the repository says so, too: any project can bring a file `.git`, but only who writes in a repository can add
 * a worktree to it. `text` reads files of the shared directory.
 */
export function isLinkedBack(
  directory: string,
  { common, id }: WorktreeLink,
  text: (path: string) => string | undefined,
): boolean {
  const own = `worktrees/${id}`;
  const named = (file: string) => {
    const line = lineOf(text(`${own}/${file}`) ?? '');
    return line ? resolve(common, own, line) : undefined;
  };
  return named('gitdir') === `${directory}/.git` && named('commondir') === common;
}

/** What makes a directory one of git's, whatever it is called. */
export const gitParts: readonly { readonly name: string; readonly kind: 'file' | 'directory' }[] = [
  { name: 'HEAD', kind: 'file' },
  { name: 'objects', kind: 'directory' },
  { name: 'refs', kind: 'directory' },
];

/** One of them lies in the other: what is guarded in one could be changed through the other. */
export function areNested(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}
