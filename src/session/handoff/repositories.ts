// What is told of a repository in a workspace: nothing, or one line, as soon as one part of it that makes it one or that
// git takes orders from has changed. Pure.
import {
  isChanged,
  isSince,
  isWayChanged,
  leadsToChange,
  mayBeRenamed,
  type Window,
} from './freshness.ts';
import { type GitDirectory, gitDirectory, gitEntry } from './git-directory.ts';
import { isHarmlessConfig } from './git-orders.ts';
import { follow, inside, nameOf, parentOf, type Tree } from './tree.ts';

export const repositoryWhy =
  'a repository of its own: git in that directory takes commands from it';
const unclearWhy =
  'a repository that git may find elsewhere than coi does: git in that directory takes commands from it';
const bareWhy = 'a bare repository: git in that directory takes commands from it';
const outsideWhy =
  'it leads to a repository outside of the workspace: git in that directory takes commands from there';

export interface Repository {
  /** What is told of it; undefined for nothing. */
  readonly why: string | undefined;
  readonly found: GitDirectory;
}

export interface Place {
  readonly window: Window;
  readonly tree: Tree;
  /** Real path of the workspace. */
  readonly root: string;
}

const parts = 'HEAD config config.worktree commondir objects refs hooks info info/attributes'.split(
  ' ',
);

/** Of an entry called `.git`; undefined where git would find no repository. `moved`: it may lie somewhere else than before. */
export function repositoryOfEntry(
  place: Place,
  path: string,
  moved: boolean,
): Repository | undefined {
  const { tree, root, window } = place;
  const found = gitEntry(tree, root, path);
  if (!found) return undefined;
  if (found.uncertain) return { found, why: unclearWhy };
  if (isOwn(place, found)) return { found, why: ownOrders(place, found) };
  const stats = tree.stats(path);
  const fresh = stats !== undefined && stats.kind !== 'directory' && isChanged(window, path, stats);
  const led = isWayChanged(window, tree, follow(tree, root, path));
  return {
    found,
    why: told(place, found, { fresh: fresh || led || moved, made: fresh, why: repositoryWhy }),
  };
}

/** Of a directory in which git finds itself in a repository, whatever it is called. */
export function repositoryOfDirectory(
  place: Place,
  path: string,
  moved: boolean,
): Repository | undefined {
  const found = gitDirectory(place.tree, place.root, path);
  if (!found) return undefined;
  if (found.uncertain) return { found, why: unclearWhy };
  if (isOwn(place, found)) return { found, why: ownOrders(place, found) };
  return { found, why: told(place, found, { fresh: moved, made: false, why: bareWhy }) };
}

/** What it takes orders from was guarded in every session. */
export function isOwn({ window }: Place, { common }: GitDirectory): boolean {
  return window.guarded.has(inside(common, 'config'));
}

/** Of a worktree of a guarded repository: it has one file of its own that could give orders. */
function ownOrders({ tree, window }: Place, { path, common }: GitDirectory): string | undefined {
  if (path === common) return undefined;
  const own = inside(path, 'config.worktree');
  const stats = tree.stats(own);
  if (!stats || !isChanged(window, own, stats) || isHarmlessConfig(tree.text(own) ?? '?'))
    return undefined;
  return repositoryWhy;
}

function told(
  place: Place,
  found: GitDirectory,
  { fresh, made, why }: { readonly fresh: boolean; readonly made: boolean; readonly why: string },
): string | undefined {
  const { tree, window } = place;
  if (found.path.startsWith('/') || found.common.startsWith('/')) {
    const file = inside(found.path, 'commondir');
    const stats = found.path.startsWith('/') ? undefined : tree.stats(file);
    return fresh || (stats && isChanged(window, file, stats)) ? outsideWhy : undefined;
  }
  const own = tree.stats(found.path);
  const isMade =
    made || (own !== undefined && own.bornMs > 0 && isSince(own.bornMs, window.sinceMs));
  if (isMade) return why;
  if (!fresh && !isFresh(place, found)) return undefined;
  return isHarmless(place, found) ? undefined : why;
}

/** Links count by what they lead to. */
function isFresh({ window, tree, root }: Place, { path, common }: GitDirectory): boolean {
  return [...new Set([path, common])].some(
    (top) =>
      above(top).some((one) => mayBeRenamed(window, tree, one)) ||
      [top, ...parts.map((part) => inside(top, part)), ...hooksOf(tree, top)].some((one) => {
        const stats = tree.stats(one);
        if (!stats) return false;
        if (isChanged(window, one, stats)) return true;
        if (stats.kind !== 'link') return false;
        const led = follow(tree, root, one);
        return led.path === undefined || leadsToChange(window, tree, led);
      }),
  );
}

/** The directories that hold a path. */
function above(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

function hooksOf(tree: Tree, top: string): string[] {
  const directory = inside(top, 'hooks');
  return (tree.names(directory) ?? []).map((name) => inside(directory, name));
}

function isHarmless({ tree }: Place, { path, common }: GitDirectory): boolean {
  const configs = [
    inside(common, 'config'),
    inside(path, 'config.worktree'),
    inside(common, 'config.worktree'),
  ];
  return (
    configs.every((one) => !tree.stats(one) || isHarmlessConfig(tree.text(one) ?? '?')) &&
    hooksOf(tree, common).every((one) => one.endsWith('.sample'))
  );
}

/** What of a changed entry in the workspace's own, guarded repository git runs or obeys. `path` is relative to its directory. */
export function orderInOwn(tree: Tree, top: string, path: string): string | undefined {
  const text = () => tree.text(inside(top, path));
  const first = path.split('/')[0] ?? '';
  if (first === 'hooks')
    return path !== 'hooks' && !path.endsWith('.sample') ? 'git runs it' : undefined;
  const inWorktree = /^worktrees\/[^/]+\//.exec(path)?.[0] ?? '';
  switch (path.slice(inWorktree.length)) {
    case 'config':
    case 'config.worktree':
      return isHarmlessConfig(text() ?? '?') ? undefined : 'git takes commands from it';
    case 'commondir':
      return text()?.trim().replace(/\/$/, '') === (inWorktree === '' ? '.' : '../..')
        ? undefined
        : 'git takes commands from it';
    case 'info/attributes':
      return text()?.trim() === '' ? undefined : 'git chooses filters and drivers by it';
    case 'rebase-merge/git-rebase-todo':
    case 'sequencer/todo':
      return 'a rebase that goes on runs the commands in it';
    default:
      return undefined;
  }
}

/** Of an entry in a directory of git: whether it belongs to what only holds data, however much there is of it. */
export function isGitData(path: string): boolean {
  const name = nameOf(path);
  const above = nameOf(parentOf(path));
  return /^[0-9a-f]{2}$/.test(above) ? /^[0-9a-f]{38,62}$/.test(name) : above === 'pack';
}
