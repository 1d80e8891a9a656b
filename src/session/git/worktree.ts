// Linked git worktrees: `.git` is a file that points into the git directory that all worktrees of a repository share,
// outside of the workspace. It is only valid if both point to each other. Pure.
import { resolve } from 'node:path';
import { gitFileTarget, lineOf } from './git-file.ts';

export interface WorktreeLink {
  /** The shared directory: `.git` of the main checkout, or a bare repository. */
  readonly common: string;
  /** Name of this worktree's directory in its `worktrees/`. */
  readonly id: string;
  /** Whether `.git` has an absolute path, not one relative to the worktree. */
  readonly absolute: boolean;
}

/** Larger than any git file that contains a path. */
export const linkBytesMax = 8192;

/** Parses the file `.git` of a directory, if it has the format of `git worktree add`. */
export function worktreeLink(directory: string, gitFile: string): WorktreeLink | undefined {
  const named = gitFileTarget(gitFile);
  if (named === undefined) return undefined;
  const [, common, id] = /^(\/.+)\/worktrees\/([^/]+)$/.exec(resolve(directory, named)) ?? [];
  if (common === undefined || id === undefined) return undefined;
  return { common, id, absolute: named.startsWith('/') };
}

/**
 * Whether the repository confirms the link: any project can contain a file `.git`, but only somebody who can write to a
 * repository can add a worktree. `text` reads files of the shared directory.
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

/** Entries that identify a git directory, whatever its name. */
export const gitParts: readonly { readonly name: string; readonly kind: 'file' | 'directory' }[] = [
  { name: 'HEAD', kind: 'file' },
  { name: 'objects', kind: 'directory' },
  { name: 'refs', kind: 'directory' },
];

/** Whether one contains the other: guarded files in one could be changed through the other. */
export function areNested(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}
