// What a session can do against the guard of its workspace.
import { isWithin } from './record.ts';
import type { GuardedEntry } from './state.ts';

export interface Tampering {
  readonly path: string;
  /**
   * `made`: a protected path that did not exist. `stripped`: its guard was taken away, which only the agent has a reason
   * for. `replaced`: another directory is in its place.
   */
  readonly what: 'made' | 'stripped' | 'replaced';
}

/** Which of the missing paths are there now, and were not at the last look: `told` is what was told of then. */
export function newlyMade(
  missing: readonly string[],
  told: Set<string>,
  exists: (path: string) => boolean,
): Tampering[] {
  const there = missing.filter(exists);
  const fresh = there.filter((path) => !told.has(path));
  told.clear();
  for (const path of there) told.add(path);
  return fresh.map((path) => ({ path, what: 'made' }));
}

/** What is missing now, was not before, and never was guarded: the host led a link there. What it removes comes back mostly. */
export function newlyMissing(
  now: readonly string[],
  before: readonly string[],
  guarded: readonly Pick<GuardedEntry, 'path'>[],
): string[] {
  return now.filter(
    (gone) => !before.includes(gone) && !guarded.some(({ path }) => isWithin(path, gone)),
  );
}

/** What the host has no reason to do; it cannot replace a directory that has a mount of its own in a session. */
export function againstGuard(
  stripped: readonly string[],
  replaced: readonly string[],
  mounted: readonly string[] = [],
): Tampering[] {
  return [
    ...stripped.map((path): Tampering => ({ path, what: 'stripped' })),
    ...replaced
      .filter((path) => mounted.includes(path))
      .map((path): Tampering => ({ path, what: 'replaced' })),
  ];
}
