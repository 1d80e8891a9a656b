// Changed files that git's configuration names in a workspace: git runs or obeys them, whatever their name. Pure.
import type { EntryKind, TreeFacts } from '../protect/path-walk.ts';
import { firstPossible } from '../protect/protection-plan.ts';
import type { ProtectionPlan } from '../protect/protection-types.ts';
import type { HandoffEntry, UncheckedPath } from './findings.ts';
import { isChanged, type TimeWindow } from './freshness.ts';
import { joinPath, presentText, type WorkspaceTree } from './tree.ts';

export interface NamedFindings {
  readonly files: readonly HandoffEntry[];
  readonly notLookedAt: readonly UncheckedPath[];
}

/** `tree` reads at most `textMax` bytes of a file; longer files are not interpreted. */
export function namedByGit(
  tree: WorkspaceTree,
  root: string,
  window: TimeWindow,
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
  const unread = refused.flatMap(({ path, why }): UncheckedPath[] => {
    if (why === 'links') return [{ path, why: 'too many links lead on from here' }];
    return why === 'unread-config' || why === 'crowded'
      ? [{ path, why: 'this git configuration could not be checked' }]
      : [];
  });
  return { files, notLookedAt: [...unread, ...uninspectedOf(plan)] };
}

/** Directories in a git directory below the root that are not completely inspected when a session starts. */
export function uninspectedDirectories(
  tree: WorkspaceTree,
  root: string,
  git: string,
  textMax: number,
): UncheckedPath[] {
  const gitDirectories = git === '.git' ? [] : [git];
  const request = { paths: [`${git}/config`], mode: 'watch' as const, gitDirectories };
  const facts = factsOf(tree, root, textMax);
  return uninspectedOf(firstPossible({ ...request, within: [git] }, facts, () => true).plan);
}

function uninspectedOf({ whole }: ProtectionPlan): UncheckedPath[] {
  const why = 'more worktrees or submodules than coi checks: their configuration is unknown';
  return whole.map((path) => ({ path, why }));
}

const depthMax = 4;

/** The changed files: the entry itself, or files in it. */
function changedIn(tree: WorkspaceTree, window: TimeWindow, path: string, depth: number): string[] {
  const stats = tree.stats(path);
  if (!stats) return [];
  if (stats.kind !== 'directory') return isChanged(window, path, stats) ? [path] : [];
  if (depth > depthMax) return [];
  return (tree.names(path) ?? []).flatMap((name) =>
    changedIn(tree, window, joinPath(path, name), depth + 1),
  );
}

function linksIn(tree: WorkspaceTree, path: string, depth: number): string[] {
  const kind = tree.stats(path)?.kind;
  if (kind === 'link') return [path];
  if (kind !== 'directory' || depth > depthMax) return [];
  return (tree.names(path) ?? []).flatMap((name) => linksIn(tree, joinPath(path, name), depth + 1));
}

function factsOf(tree: WorkspaceTree, root: string, textMax: number): TreeFacts {
  const kind = (path: string): EntryKind => tree.stats(path)?.kind ?? 'missing';
  return {
    kind,
    names: (path) => tree.names(path) ?? [],
    text: (path) => {
      const isReadable = ['file', 'missing'].includes(kind(path));
      const bytes = isReadable ? presentText(tree, path) : undefined;
      if (bytes === undefined || bytes.length >= textMax) return undefined;
      return Buffer.from(bytes, 'latin1').toString('utf8');
    },
    link: (path) => tree.linkTarget(path),
    // The size only matters for guarding, not here.
    tree: (path) => ({ links: linksIn(tree, path, 0), entries: 0 }),
    root,
    // Other host paths of the workspace are not resolved here: changes of guarded paths are reported anyway.
    locate: (path) =>
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
