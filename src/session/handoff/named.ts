// What git's configuration names in a workspace and has changed: git runs or obeys it, whatever it is called. Pure.
import type { EntryKind, TreeFacts } from '../protect/path-walk.ts';
import { firstPossible } from '../protect/protection-plan.ts';
import type { ProtectionPlan } from '../protect/protection-types.ts';
import { isChanged, type Window } from './freshness.ts';
import type { HandoffEntry, NotLookedAt } from './judge.ts';
import { inside, type Tree } from './tree.ts';

export interface NamedFindings {
  readonly files: readonly HandoffEntry[];
  readonly notLookedAt: readonly NotLookedAt[];
}

/** `tree` gives texts up to that many bytes, and a longer one is not understood. */
export function namedByGit(
  tree: Tree,
  root: string,
  window: Window,
  textMax: number,
): NamedFindings {
  const paths = ['.git/config', '.git/config.worktree'];
  const request = { paths, mode: 'watch' as const, everywhere: true };
  const { plan } = firstPossible(request, factsOf(tree, root, textMax), () => true);
  const { leaves, named, refused } = plan;
  const files = leaves.flatMap(({ path }) => {
    const key = named.get(path);
    const why = `git runs or obeys it: ${key}`;
    if (key === undefined) return [];
    return changedIn(tree, window, path, 0).map((one): HandoffEntry => ({ path: one, why }));
  });
  const unread = refused.flatMap(({ path, why }): NotLookedAt[] => {
    if (why === 'links') return [{ path, why: 'more links lead on from here than coi follows' }];
    return why === 'unread-config' || why === 'crowded'
      ? [{ path, why: 'what this configuration of git names is not known' }]
      : [];
  });
  return { files, notLookedAt: [...unread, ...wholeOf(plan)] };
}

/** Directories in a directory of git directly below the root of which not everything is looked at when a session starts. */
export function crowdedIn(tree: Tree, root: string, git: string, textMax: number): NotLookedAt[] {
  const gitDirectories = git === '.git' ? [] : [git];
  const request = { paths: [`${git}/config`], mode: 'watch' as const, gitDirectories };
  const facts = factsOf(tree, root, textMax);
  return wholeOf(firstPossible({ ...request, within: [git] }, facts, () => true).plan);
}

function wholeOf({ whole }: ProtectionPlan): NotLookedAt[] {
  const why =
    'more worktrees or submodules than coi looks at: what their configuration names is not known';
  return whole.map((path) => ({ path, why }));
}

const depthMax = 4;

/** The entry itself, or what is in it. */
function changedIn(tree: Tree, window: Window, path: string, depth: number): string[] {
  const stats = tree.stats(path);
  if (!stats) return [];
  if (stats.kind !== 'directory') return isChanged(window, path, stats) ? [path] : [];
  if (depth > depthMax) return [];
  return (tree.names(path) ?? []).flatMap((name) =>
    changedIn(tree, window, inside(path, name), depth + 1),
  );
}

function linksIn(tree: Tree, path: string, depth: number): string[] {
  const kind = tree.stats(path)?.kind;
  if (kind === 'link') return [path];
  if (kind !== 'directory' || depth > depthMax) return [];
  return (tree.names(path) ?? []).flatMap((name) => linksIn(tree, inside(path, name), depth + 1));
}

function factsOf(tree: Tree, root: string, textMax: number): TreeFacts {
  const kind = (path: string): EntryKind => tree.stats(path)?.kind ?? 'missing';
  return {
    kind,
    names: (path) => tree.names(path) ?? [],
    text: (path) => {
      const bytes = kind(path) === 'file' ? tree.text(path) : undefined;
      if (bytes === undefined || bytes.length >= textMax) return undefined;
      return Buffer.from(bytes, 'latin1').toString('utf8');
    },
    link: (path) => tree.linkTarget(path),
    // What is guarded there, one by one or as a whole, is not told here.
    tree: (path) => ({ links: linksIn(tree, path, 0), entries: 0 }),
    root,
    // Another name of the workspace on the host is not looked for here: what is guarded says so when it is changed.
    place: (path) =>
      path === root || path.startsWith(`${root}/`)
        ? {
            kind: 'within',
            parts: path
              .slice(root.length)
              .split('/')
              .filter((part) => part !== '' && part !== '.'),
          }
        : { kind: 'outside' },
    isMountedOver: () => false,
    isLate: () => false,
    nowMs: () => performance.now(),
  };
}
