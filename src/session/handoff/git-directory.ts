// Detects git directories with any name by their content, and follows links as git does. Pure.
// Source of the rules: is_git_directory, validate_headref, get_common_dir and read_gitfile in git's setup.c and refs.c.
import { gitFileTarget, lineOf } from '../git/git-file.ts';
import { followPath, joinPath, normalize, type WorkspaceTree } from './tree.ts';

export interface GitDirectory {
  /** Relative to the workspace, or absolute outside of it. */
  readonly path: string;
  /** The directory with configuration, hooks, objects and refs: for a worktree, its repository. */
  readonly common: string;
  /** Git may find something else than coi: the path depends on the process, or is not valid UTF-8. */
  readonly uncertain: boolean;
}

/** The path that a git file names; 'unclear' if only git itself could resolve it. */
type Found = { readonly path: string } | 'nothing' | 'unclear';

/** The directory itself, if git would treat it as a repository. */
export function gitDirectory(
  tree: WorkspaceTree,
  root: string,
  path: string,
): GitDirectory | undefined {
  if (!isHead(tree, joinPath(path, 'HEAD'))) return undefined;
  const common = commonOf(tree, root, path);
  if (common === 'nothing') return undefined;
  if (common === 'unclear') return unclear(path);
  const parts = ['objects', 'refs'].map((name) => joinPath(common.path, name));
  if (parts.some((place) => isOfProcess(followPath(tree, root, place).path))) return unclear(path);
  const whole = parts.every((place) => tree.mayEnter(place));
  return whole ? { path, common: common.path, uncertain: false } : undefined;
}

function commonOf(tree: WorkspaceTree, root: string, path: string): Found {
  const file = joinPath(path, 'commondir');
  if (!tree.stats(file)) return { path };
  const text = isOfProcess(followPath(tree, root, file).path) ? undefined : tree.text(file);
  return text === undefined ? 'unclear' : resolveGitPath(tree, root, path, lineOf(text));
}

/** Resolves an entry named `.git`: a directory, a link to one, or a file that names one. */
export function gitEntry(
  tree: WorkspaceTree,
  root: string,
  path: string,
): GitDirectory | undefined {
  const found = followPath(tree, root, path);
  if (isOfProcess(found.path)) return unclear(path);
  if (found.path === undefined || !found.stats) return undefined;
  if (found.stats.kind === 'directory') return gitDirectory(tree, root, found.path);
  if (found.stats.kind !== 'file') return undefined;
  const target = gitFileTarget(tree.text(found.path));
  if (target === undefined) return undefined;
  const top = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  const place = resolveGitPath(tree, root, top, target);
  if (place === 'unclear') return unclear(path);
  return place === 'nothing' ? undefined : gitDirectory(tree, root, place.path);
}

function unclear(path: string): GitDirectory {
  return { path, common: path, uncertain: true };
}

/** Resolves a path in a git file, relative to the workspace if it is inside. `bytes` as latin1. */
function resolveGitPath(tree: WorkspaceTree, root: string, top: string, bytes: string): Found {
  const target = Buffer.from(bytes, 'latin1').toString('utf8');
  if (Buffer.from(target, 'utf8').toString('latin1') !== bytes) return 'unclear';
  if (top.startsWith('/') && !target.startsWith('/'))
    return isOfProcess(`${top}/${target}`) ? 'unclear' : { path: `${top}/${target}` };
  if (target.startsWith('/') && target !== root && !target.startsWith(`${root}/`)) {
    if (isOfProcess(target)) return 'unclear';
    return tree.stats(target) ? { path: target } : 'nothing';
  }
  const within = target.startsWith('/') ? target.slice(root.length + 1) : joinPath(top, target);
  const { path } = followPath(tree, root, within);
  if (isOfProcess(path)) return 'unclear';
  return path === undefined ? 'nothing' : { path };
}

/** Paths below /proc and /dev depend on the process. */
function isOfProcess(path: string | undefined): boolean {
  return path !== undefined && /^\/(?:proc|dev)(?:\/|$)/.test(normalize(path));
}

/** A valid HEAD, detached or not. Only the target text of a link counts, not whether it exists. */
function isHead(tree: WorkspaceTree, path: string): boolean {
  const stats = tree.stats(path);
  if (!stats) return false;
  if (stats.kind === 'link') return (tree.linkTarget(path) ?? '').startsWith('refs/');
  return stats.kind === 'file' && /^(?:ref:\s*refs\/|[0-9a-fA-F]{40})/.test(tree.text(path) ?? '');
}
