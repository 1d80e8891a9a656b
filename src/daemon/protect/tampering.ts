// What a session can do against the guard of its workspace.
import { isWithin } from '../../session/protect/path-text.ts';
import type { GuardedEntry } from './guard/state.ts';

export interface Tampering {
  readonly path: string;
  /**
   * `made`: a protected path that did not exist. `stripped`: its guard was taken away, which only the agent has a reason
   * for. `replaced`: another directory is in its place. `lost`: the workspace itself cannot be found, so nobody guards it.
   * `failing`: no look at it succeeds, with the same effect.
   */
  readonly what: 'made' | 'stripped' | 'replaced' | 'lost' | 'failing';
}

/** When it was last told that a path was made, and whether it was there at every look since. */
export interface ToldMade {
  readonly atMs: number;
  readonly stayed: boolean;
}

/** Of each path once a minute: who makes and removes it in a loop gets no record and no write to Incus for each time. */
const everyMs = 60_000;

/** Which of the missing paths are there now and are to be told of. What is held back is told later, if it stays. */
export function newlyMade(
  missing: readonly string[],
  told: Map<string, ToldMade>,
  exists: (path: string) => boolean,
  nowMs: number,
): Tampering[] {
  const fresh: Tampering[] = [];
  for (const path of missing) {
    const before = told.get(path);
    const isThere = exists(path);
    if (before && !isThere) told.set(path, { ...before, stayed: false });
    if (!isThere || before?.stayed || nowMs - (before?.atMs ?? -everyMs) < everyMs) continue;
    told.set(path, { atMs: nowMs, stayed: true });
    fresh.push({ path, what: 'made' });
  }
  return fresh;
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
