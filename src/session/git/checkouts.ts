// Where worktrees and submodules are checked out in a workspace, by what their git directories say, and by what says the same there. Pure.
import { normalize, resolve } from 'node:path';
import { type TreeFacts, wayOf } from '../protect/path-walk.ts';
import { type GitVariable, keyOf, parseGitConfig } from './config.ts';
import { gitFileTarget, pathMax } from './git-file.ts';

/** A directory of git of a worktree or a submodule, and where that says it is checked out. */
export interface Checkout {
  readonly git: string;
  readonly top: string;
}

/** By its file `gitdir`. */
export function worktreeAt(facts: TreeFacts, git: string): Checkout[] {
  const named = facts.text(`${git}/gitdir`)?.trim();
  return named ? at(facts, git, named.replace(/\/?\.git$/, '')) : [];
}

/** `core.worktree` in a file of its configuration, as submodules have it. */
export function configuredAt(facts: TreeFacts, git: string, config: string): Checkout[] {
  return variables(facts, config)
    .filter((variable) => keyOf(variable) === 'core.worktree')
    .flatMap(({ value }) => (value ? at(facts, git, value) : []));
}

/**
 * The file `.git` there names the directory of git as well. Anybody who writes in a repository can let an entry of it name
 * any directory; in a guarded one they make no file.
 */
export function isCheckedOut(facts: TreeFacts, { git, top }: Checkout): boolean {
  const named = gitFileTarget(facts.text(`${top}/.git`));
  if (named === undefined) return false;
  const { end } = wayOf(facts, onHost(facts, named), top);
  if (end.kind === 'outside') return normalize(end.host) === git;
  return end.kind === 'inside' && end.path === git;
}

function at(facts: TreeFacts, git: string, path: string): Checkout[] {
  if (path === '' || path.length > pathMax) return [];
  const from = git.startsWith('/') ? resolve(git, path) : path;
  const { end } = wayOf(facts, onHost(facts, from), git);
  // The workspace itself is no other checkout.
  const isOther = end.kind === 'inside' && end.is === 'directory' && end.path !== '';
  return isOther ? [{ git, top: end.path }] : [];
}

/** In a container the workspace is called `/workspace`. */
function onHost({ root }: TreeFacts, path: string): string {
  return path.replace(/^\/workspace(?=\/|$)/, () => root);
}

function variables(facts: TreeFacts, path: string): readonly GitVariable[] {
  const { end } = wayOf(facts, path);
  const found = end.kind === 'outside' ? facts.outside?.(end.host) : undefined;
  const outside = typeof found === 'object' ? found.text : undefined;
  const text = end.kind === 'inside' ? facts.text(end.path) : outside;
  const config = text === undefined ? undefined : parseGitConfig(text);
  return config && 'variables' in config ? config.variables : [];
}
