// Findings about repositories in a workspace: one line if any part has changed that makes it a repository or that git obeys.
// Pure.
import {
  isChanged,
  isRouteChanged,
  isSince,
  isTargetChanged,
  mayBeRenamed,
  type TimeWindow,
} from './freshness.ts';
import { type GitDirectory, gitDirectory, gitEntry } from './git-directory.ts';
import { isHarmlessConfig } from './harmless-config.ts';
import { followPath, joinPath, nameOf, parentOf, presentText, type WorkspaceTree } from './tree.ts';

export const repositoryWhy = 'a separate repository: git in that directory runs commands from it';
const unclearWhy =
  'a repository that git may resolve differently than coi: git in that directory runs commands from it';
const bareWhy = 'a bare repository: git in that directory runs commands from it';
const outsideWhy =
  'it leads to a repository outside of the workspace: git in that directory runs commands from there';

export interface Repository {
  /** The finding; undefined if there is none. */
  readonly why: string | undefined;
  readonly found: GitDirectory;
}

export interface ScanContext {
  readonly window: TimeWindow;
  readonly tree: WorkspaceTree;
  /** Real path of the workspace. */
  readonly root: string;
}

const parts = 'HEAD config config.worktree commondir objects refs hooks info info/attributes'.split(
  ' ',
);

/** For an entry named `.git`; undefined if git would find no repository. `moved`: its path may have changed. */
export function repositoryOfEntry(
  scan: ScanContext,
  path: string,
  moved: boolean,
): Repository | undefined {
  const { tree, root, window } = scan;
  const found = gitEntry(tree, root, path);
  if (!found) return undefined;
  if (found.uncertain) return { found, why: unclearWhy };
  if (isOwn(scan, found)) return { found, why: ownFinding(scan, found) };
  const stats = tree.stats(path);
  const fresh = stats !== undefined && stats.kind !== 'directory' && isChanged(window, path, stats);
  const led = isRouteChanged(window, tree, followPath(tree, root, path));
  return {
    found,
    why: finding(scan, found, { fresh: fresh || led || moved, made: fresh, why: repositoryWhy }),
  };
}

/** For a directory with any name that git would treat as a repository. */
export function repositoryOfDirectory(
  scan: ScanContext,
  path: string,
  moved: boolean,
): Repository | undefined {
  const found = gitDirectory(scan.tree, scan.root, path);
  if (!found) return undefined;
  if (found.uncertain) return { found, why: unclearWhy };
  if (isOwn(scan, found)) return { found, why: ownFinding(scan, found) };
  return { found, why: finding(scan, found, { fresh: moved, made: false, why: bareWhy }) };
}

/** Whether its configuration was guarded in every session. */
export function isOwn({ window }: ScanContext, { common }: GitDirectory): boolean {
  return window.guarded.has(joinPath(common, 'config'));
}

/** For a worktree of a guarded repository: it has only one file of its own that git obeys. */
function ownFinding(
  { tree, window }: ScanContext,
  { path, common }: GitDirectory,
): string | undefined {
  if (path === common) return undefined;
  const own = joinPath(path, 'config.worktree');
  const stats = tree.stats(own);
  if (!stats || !isChanged(window, own, stats) || isHarmlessFile(tree, own)) return undefined;
  return repositoryWhy;
}

function finding(
  scan: ScanContext,
  found: GitDirectory,
  { fresh, made, why }: { readonly fresh: boolean; readonly made: boolean; readonly why: string },
): string | undefined {
  const { tree, window } = scan;
  if (found.path.startsWith('/') || found.common.startsWith('/')) {
    const file = joinPath(found.path, 'commondir');
    const stats = found.path.startsWith('/') ? undefined : tree.stats(file);
    return fresh || (stats && isChanged(window, file, stats)) ? outsideWhy : undefined;
  }
  const own = tree.stats(found.path);
  const isMade =
    made || (own !== undefined && own.bornMs > 0 && isSince(own.bornMs, window.sinceMs));
  if (isMade) return why;
  if (!fresh && !isFresh(scan, found)) return undefined;
  return isHarmless(scan, found) ? undefined : why;
}

/** Whether any part has changed; for links, whether the target has. */
function isFresh({ window, tree, root }: ScanContext, { path, common }: GitDirectory): boolean {
  return [...new Set([path, common])].some(
    (top) =>
      ancestorsOf(top).some((one) => mayBeRenamed(window, tree, one)) ||
      [top, ...parts.map((part) => joinPath(top, part)), ...hooksOf(tree, top)].some((one) => {
        const stats = tree.stats(one);
        if (!stats) return false;
        if (isChanged(window, one, stats)) return true;
        if (stats.kind !== 'link') return false;
        const led = followPath(tree, root, one);
        return led.path === undefined || isTargetChanged(window, tree, led);
      }),
  );
}

/** The directories above a path. */
function ancestorsOf(path: string): string[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

function hooksOf(tree: WorkspaceTree, top: string): string[] {
  const directory = joinPath(top, 'hooks');
  return (tree.names(directory) ?? []).map((name) => joinPath(directory, name));
}

function isHarmless({ tree }: ScanContext, { path, common }: GitDirectory): boolean {
  const configs = [
    joinPath(common, 'config'),
    joinPath(path, 'config.worktree'),
    joinPath(common, 'config.worktree'),
  ];
  return (
    configs.every((one) => isHarmlessFile(tree, one)) &&
    hooksOf(tree, common).every((one) => one.endsWith('.sample'))
  );
}

/** Whether a git configuration is missing or harmless. */
function isHarmlessFile(tree: WorkspaceTree, path: string): boolean {
  return isHarmlessConfig(presentText(tree, path) ?? '?');
}

/** The finding for a changed entry in the workspace's own, guarded repository. `path` is relative to the git directory. */
export function findingInOwn(tree: WorkspaceTree, top: string, path: string): string | undefined {
  const text = () => tree.text(joinPath(top, path));
  const first = path.split('/')[0] ?? '';
  if (first === 'hooks')
    return path !== 'hooks' && !path.endsWith('.sample') ? 'git runs it' : undefined;
  const inWorktree = /^worktrees\/[^/]+\//.exec(path)?.[0] ?? '';
  switch (path.slice(inWorktree.length)) {
    case 'config':
    case 'config.worktree':
      return isHarmlessConfig(text() ?? '?') ? undefined : 'git runs commands from it';
    case 'commondir':
      return text()?.trim().replace(/\/$/, '') === (inWorktree === '' ? '.' : '../..')
        ? undefined
        : 'git runs commands from it';
    case 'info/attributes':
      return text()?.trim() === '' ? undefined : 'git selects filters and drivers from it';
    case 'rebase-merge/git-rebase-todo':
    case 'sequencer/todo':
      return 'continuing the rebase runs the commands in it';
    default:
      return undefined;
  }
}

/** Whether an entry in a git directory is pure data (objects and packs). */
export function isGitData(path: string): boolean {
  const name = nameOf(path);
  const above = nameOf(parentOf(path));
  return /^[0-9a-f]{2}$/.test(above) ? /^[0-9a-f]{38,62}$/.test(name) : above === 'pack';
}
