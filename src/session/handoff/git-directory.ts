// What git takes for a repository: by what lies in a directory, whatever it is called, through links as git goes. Pure.
// Source of the rules: is_git_directory, validate_headref, get_common_dir and read_gitfile in git's setup.c and refs.c.
import { gitFileTarget, lineOf } from '../git/git-file.ts';
import { follow, inside, normalised, type Tree } from './tree.ts';

export interface GitDirectory {
  /** Relative to the workspace, or absolute outside of it. */
  readonly path: string;
  /** Where configuration, hooks, objects and refs are: of a worktree, the repository that it belongs to. */
  readonly common: string;
  /** Git may find something else than coi does: a path that depends on the process, or whose bytes are no text. */
  readonly uncertain: boolean;
}

/** A path as git takes it from a file, or where it leads: 'unclear' where only git itself could tell. */
type Found = { readonly path: string } | 'nothing' | 'unclear';

/** The directory itself, if git run in it takes it for a repository. */
export function gitDirectory(tree: Tree, root: string, path: string): GitDirectory | undefined {
  if (!isHead(tree, inside(path, 'HEAD'))) return undefined;
  const common = commonOf(tree, root, path);
  if (common === 'nothing') return undefined;
  if (common === 'unclear') return unclear(path);
  const places = ['objects', 'refs'].map((name) => inside(common.path, name));
  if (places.some((place) => isOfProcess(follow(tree, root, place).path))) return unclear(path);
  const whole = places.every((place) => tree.mayEnter(place));
  return whole ? { path, common: common.path, uncertain: false } : undefined;
}

function commonOf(tree: Tree, root: string, path: string): Found {
  const file = inside(path, 'commondir');
  if (!tree.stats(file)) return { path };
  const text = isOfProcess(follow(tree, root, file).path) ? undefined : tree.text(file);
  return text === undefined ? 'unclear' : placeOf(tree, root, path, lineOf(text));
}

/** What an entry called `.git` leads to: a directory, a link to one, or a file that names one. */
export function gitEntry(tree: Tree, root: string, path: string): GitDirectory | undefined {
  const found = follow(tree, root, path);
  if (isOfProcess(found.path)) return unclear(path);
  if (found.path === undefined || !found.stats) return undefined;
  if (found.stats.kind === 'directory') return gitDirectory(tree, root, found.path);
  if (found.stats.kind !== 'file') return undefined;
  const target = gitFileTarget(tree.text(found.path));
  if (target === undefined) return undefined;
  const top = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
  const place = placeOf(tree, root, top, target);
  if (place === 'unclear') return unclear(path);
  return place === 'nothing' ? undefined : gitDirectory(tree, root, place.path);
}

function unclear(path: string): GitDirectory {
  return { path, common: path, uncertain: true };
}

/** A path that a file of git names, as one of the workspace where it leads into it. `bytes` as latin1. */
function placeOf(tree: Tree, root: string, top: string, bytes: string): Found {
  const target = Buffer.from(bytes, 'latin1').toString('utf8');
  if (Buffer.from(target, 'utf8').toString('latin1') !== bytes) return 'unclear';
  if (top.startsWith('/') && !target.startsWith('/'))
    return isOfProcess(`${top}/${target}`) ? 'unclear' : { path: `${top}/${target}` };
  if (target.startsWith('/') && target !== root && !target.startsWith(`${root}/`)) {
    if (isOfProcess(target)) return 'unclear';
    return tree.stats(target) ? { path: target } : 'nothing';
  }
  const within = target.startsWith('/') ? target.slice(root.length + 1) : inside(top, target);
  const { path } = follow(tree, root, within);
  if (isOfProcess(path)) return 'unclear';
  return path === undefined ? 'nothing' : { path };
}

/** Below /proc and /dev every process finds something else. */
function isOfProcess(path: string | undefined): boolean {
  return path !== undefined && /^\/(?:proc|dev)(?:\/|$)/.test(normalised(path));
}

/** A branch, detached or not; a link counts by where it points, not by what is there. */
function isHead(tree: Tree, path: string): boolean {
  const stats = tree.stats(path);
  if (!stats) return false;
  if (stats.kind === 'link') return (tree.linkTarget(path) ?? '').startsWith('refs/');
  return stats.kind === 'file' && /^(?:ref:\s*refs\/|[0-9a-fA-F]{40})/.test(tree.text(path) ?? '');
}
