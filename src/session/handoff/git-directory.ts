// What git takes for a repository: by what lies in a directory, whatever it is called, through links as git goes. Pure.
// Source of the rules: is_git_directory, validate_headref, get_common_dir and read_gitfile in git's setup.c and refs.c.
import { follow, inside, type Tree } from './tree.ts';

export interface GitDirectory {
  /** Relative to the workspace, or absolute outside of it. */
  readonly path: string;
  /** Where configuration, hooks, objects and refs are: of a worktree, the repository that it belongs to. */
  readonly common: string;
}

/** The directory itself, if git run in it takes it for a repository. */
export function gitDirectory(tree: Tree, root: string, path: string): GitDirectory | undefined {
  if (!isHead(tree, inside(path, 'HEAD'))) return undefined;
  const told = tree.stats(inside(path, 'commondir')) && tree.text(inside(path, 'commondir'));
  const common =
    told === undefined ? path : placeOf(tree, root, path, told.replace(/[\r\n]+$/, ''));
  if (common === undefined) return undefined;
  const whole = ['objects', 'refs'].every((name) => tree.mayEnter(inside(common, name)));
  return whole ? { path, common } : undefined;
}

/** What an entry called `.git` leads to: a directory, a link to one, or a file that names one. */
export function gitEntry(tree: Tree, root: string, path: string): GitDirectory | undefined {
  const found = follow(tree, root, path);
  if (found.path === undefined || !found.stats) return undefined;
  if (found.stats.kind === 'directory') return gitDirectory(tree, root, found.path);
  if (found.stats.kind !== 'file') return undefined;
  const target = gitFileTarget(tree.text(found.path));
  if (target === undefined) return undefined;
  const top = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  const place = placeOf(tree, root, top, target);
  return place === undefined ? undefined : gitDirectory(tree, root, place);
}

export function gitFileTarget(text: string | undefined): string | undefined {
  const target = /^gitdir: ([\s\S]*)$/.exec(text ?? '')?.[1]?.replace(/[\r\n]+$/, '');
  return target === '' ? undefined : target;
}

/** A path that a file of git names, as one of the workspace where it leads into it. */
function placeOf(tree: Tree, root: string, top: string, target: string): string | undefined {
  if (target.startsWith('/')) {
    if (target === root || target.startsWith(`${root}/`))
      return follow(tree, root, target.slice(root.length + 1)).path;
    return tree.stats(target) ? target : undefined;
  }
  if (top.startsWith('/')) return `${top}/${target}`;
  return follow(tree, root, inside(top, target)).path;
}

/** A branch, detached or not; a link counts by where it points, not by what is there. */
function isHead(tree: Tree, path: string): boolean {
  const stats = tree.stats(path);
  if (!stats) return false;
  if (stats.kind === 'link') return (tree.linkTarget(path) ?? '').startsWith('refs/');
  return stats.kind === 'file' && /^(?:ref:\s*refs\/|[0-9a-fA-F]{40})/.test(tree.text(path) ?? '');
}
