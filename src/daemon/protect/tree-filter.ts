// Which entries a check of a workspace ignores or always includes, depending on what running sessions already guard.
import type { GuardState } from './guard/state.ts';

/** Limits what a check sees of a workspace. */
export interface TreeFilter {
  /** Paths that did not exist when the session started; ignored. */
  readonly missing: readonly string[];
  readonly isLate: (path: string) => boolean;
  /** Names in a directory that are always checked. */
  readonly known: (directory: string) => readonly string[];
  readonly isWhole: (path: string) => boolean;
}

export const noFilter: TreeFilter = {
  missing: [],
  isLate: () => false,
  known: () => [],
  isWhole: () => false,
};

/**
 * While sessions run: ignores paths that did not exist when they started, and worktrees and submodules created since
 * then, possibly by the agent. Links in those may be the agent's and are not followed.
 */
export function filterWhileRunning(
  running: { readonly missing: readonly string[]; readonly whole: readonly string[] },
  state: GuardState,
): TreeFilter {
  const ways = childNamesByPath(state.entries.map(({ path }) => path));
  return {
    missing: running.missing,
    isLate: (path) => !ways.has(path),
    known: (directory) => ways.get(directory) ?? [],
    isWhole: (path) => running.whole.includes(path),
  };
}

/** For the first session in a workspace. `own` is the directory of its worktree. */
export function filterForFirstSession(own: string | undefined): TreeFilter {
  const ways = childNamesByPath(own === undefined ? [] : [own]);
  return { ...noFilter, known: (directory) => ways.get(directory) ?? [] };
}

/**
 * For a session that starts alongside others. A worktree that another session's agent created must not be guarded: that
 * session has no mount there and could no longer write to it. Directories that are read-only as a whole stay so.
 */
export function filterForJoiningSession(
  state: GuardState,
  whole: readonly string[],
  own: string | undefined,
): TreeFilter {
  const guarded = state.entries.map(({ path }) => path);
  const before = childNamesByPath(guarded);
  const ways = childNamesByPath(own === undefined ? guarded : [...guarded, own]);
  const isLate = (path: string) => {
    const git = /^(.+)\/worktrees\/[^/]+$/.exec(path)?.[1];
    // In a repository that no other session uses, nothing is ignored.
    return git !== undefined && before.has(git) && !ways.has(path);
  };
  return {
    missing: [],
    isLate,
    known: (directory) => ways.get(directory) ?? [],
    isWhole: (path) => whole.includes(path),
  };
}

/** The paths and all their parent directories, each with the names of its direct children. */
function childNamesByPath(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const ways = new Map<string, string[]>();
  const add = (path: string): string[] => {
    const known = ways.get(path);
    if (known) return known;
    const names: string[] = [];
    ways.set(path, names);
    const at = path.lastIndexOf('/');
    if (at > 0) add(path.slice(0, at)).push(path.slice(at + 1));
    return names;
  };
  for (const path of paths) add(path);
  return ways;
}
