// Finds checkouts of worktrees and submodules in a workspace, from their git directories and the files that point back. Pure.
import { normalize, resolve } from 'node:path';
import { type TreeFacts, walkPath } from '../protect/path-walk.ts';
import { type GitVariable, keyOf, parseGitConfig } from './config.ts';
import { gitFileTarget, pathMax } from './git-file.ts';

/** The git directory of a worktree or submodule, and the checkout it names. */
export interface Checkout {
  readonly git: string;
  readonly top: string;
}

/** The checkout of a worktree, from its file `gitdir`. */
export function worktreeAt(facts: TreeFacts, git: string): Checkout[] {
  const named = facts.text(`${git}/gitdir`)?.trim();
  return named ? checkoutAt(facts, git, named.replace(/\/?\.git$/, '')) : [];
}

/** The checkout of a submodule, from `core.worktree` in a configuration file. */
export function configuredAt(facts: TreeFacts, git: string, config: string): Checkout[] {
  return variables(facts, config)
    .filter((variable) => keyOf(variable) === 'core.worktree')
    .flatMap(({ value }) => (value ? checkoutAt(facts, git, value) : []));
}

/**
 * Whether the checkout's file `.git` points back to the git directory. Anybody who can write to a repository can make it
 * name any directory, but cannot create files in a guarded one.
 */
export function isCheckedOut(facts: TreeFacts, { git, top }: Checkout): boolean {
  const named = gitFileTarget(facts.text(`${top}/.git`));
  if (named === undefined) return false;
  const { end } = walkPath(facts, onHost(facts, named), top);
  if (end.kind === 'outside') return normalize(end.host) === git;
  return end.kind === 'inside' && end.path === git;
}

function checkoutAt(facts: TreeFacts, git: string, path: string): Checkout[] {
  if (path === '' || path.length > pathMax) return [];
  const from = git.startsWith('/') ? resolve(git, path) : path;
  const { end } = walkPath(facts, onHost(facts, from), git);
  // The workspace itself is not another checkout.
  const isOther = end.kind === 'inside' && end.is === 'directory' && end.path !== '';
  return isOther ? [{ git, top: end.path }] : [];
}

/** In a container the workspace is at `/workspace`. */
function onHost({ root }: TreeFacts, path: string): string {
  return path.replace(/^\/workspace(?=\/|$)/, () => root);
}

function variables(facts: TreeFacts, path: string): readonly GitVariable[] {
  const { end } = walkPath(facts, path);
  const found = end.kind === 'outside' ? facts.outside?.(end.host) : undefined;
  const outside = typeof found === 'object' ? found.text : undefined;
  const text = end.kind === 'inside' ? facts.text(end.path) : outside;
  const config = text === undefined ? undefined : parseGitConfig(text);
  return config && 'variables' in config ? config.variables : [];
}
