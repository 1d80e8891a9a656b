// What of a workspace counts as not there, or as known, for a look at it: it depends on what sessions guard there already.
import type { GuardState } from './guard/state.ts';

/** What of it counts as not there. */
export interface Hidden {
  /** Paths that were missing when the session began. */
  readonly missing: readonly string[];
  readonly isLate: (path: string) => boolean;
  /** Names in a directory that are looked at whatever else there is. */
  readonly known: (directory: string) => readonly string[];
  readonly isWhole: (path: string) => boolean;
}

export const nothingHidden: Hidden = {
  missing: [],
  isLate: () => false,
  known: () => [],
  isWhole: () => false,
};

/**
 * What counts as not there while sessions run: what was missing when they began, and worktrees and submodules that were made
 * meanwhile, which the agent does as well. Links in it are the agent's, and are not followed.
 */
export function hiddenFrom(
  running: { readonly missing: readonly string[]; readonly whole: readonly string[] },
  state: GuardState,
): Hidden {
  const ways = waysTo(state.entries.map(({ path }) => path));
  return {
    missing: running.missing,
    isLate: (path) => !ways.has(path),
    known: (directory) => ways.get(directory) ?? [],
    isWhole: (path) => running.whole.includes(path),
  };
}

/** For a session that begins where no other runs. `own` is its worktree's directory. */
export function ownOnly(own: string | undefined): Hidden {
  const ways = waysTo(own === undefined ? [] : [own]);
  return { ...nothingHidden, known: (directory) => ways.get(directory) ?? [] };
}

/**
 * The same for a session that is about to begin beside others: under guard, a worktree that the agent of one of them made
 * could not be worked in any more, since it has no mount there. What they hold as a whole stays so.
 */
export function leftToOthers(
  state: GuardState,
  whole: readonly string[],
  own: string | undefined,
): Hidden {
  const guarded = state.entries.map(({ path }) => path);
  const before = waysTo(guarded);
  const ways = waysTo(own === undefined ? guarded : [...guarded, own]);
  const isLate = (path: string) => {
    const git = /^(.+)\/worktrees\/[^/]+$/.exec(path)?.[1];
    // Of a repository in which no other session works, nothing was left out.
    return git !== undefined && before.has(git) && !ways.has(path);
  };
  return {
    missing: [],
    isLate,
    known: (directory) => ways.get(directory) ?? [],
    isWhole: (path) => whole.includes(path),
  };
}

/** Those paths and all directories above them, each with what of them is directly in it. */
function waysTo(paths: readonly string[]): ReadonlyMap<string, readonly string[]> {
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
