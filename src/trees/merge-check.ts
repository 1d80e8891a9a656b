// Whether the result of a merge holds only what the tree has changed, and the user's repository is ready for it. Pure.
import type { Change } from './changes.ts';

/** Entries of a git directory that say what is under way there. Source: gitrepository-layout(5) and git-prompt.sh. */
export const busyEntries: Readonly<Record<string, string>> = {
  'rebase-merge': 'a rebase is under way',
  'rebase-apply': 'a rebase or git am is under way',
  MERGE_HEAD: 'a merge is under way',
  CHERRY_PICK_HEAD: 'a cherry-pick is under way',
  REVERT_HEAD: 'a revert is under way',
  sequencer: 'a cherry-pick or revert is under way',
  'index.lock': 'another git process has locked its index (index.lock)',
};

/**
 * Paths that the result changes and the tree does not. The user may have renamed a file that the tree changed.
 * `result`: HEAD to result; `own`: what the tree changed; `users`: base to HEAD, with renames. The first two without.
 */
export function foreignPaths(
  result: readonly Change[],
  own: readonly Change[],
  users: readonly Change[],
): readonly string[] {
  const allowed = new Set(own.map(({ path }) => path));
  for (const { kind, path, from } of users)
    if (kind === 'renamed' && from !== undefined && allowed.has(from)) allowed.add(path);
  return result.map(({ path }) => path).filter((path) => !allowed.has(path));
}

/** Files in the output of `git merge-tree --write-tree -z --name-only` that conflict, and its tree. */
export function parseMergeTree(output: string): {
  readonly tree: string;
  readonly conflicts: readonly string[];
} {
  const [tree = '', ...rest] = output.split('\0');
  const end = rest.indexOf('');
  const conflicts = end < 0 ? [] : rest.slice(0, end);
  return { tree, conflicts: [...new Set(conflicts)] };
}

/** Files that git names with a tab before them, as those that a merge would overwrite. */
export function filesInTheWay(stderr: string): readonly string[] {
  return stderr.split('\n').flatMap((line) => (line.startsWith('\t') ? [line.slice(1)] : []));
}
