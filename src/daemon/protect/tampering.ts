// Detects attacks of a session on the guard of its workspace.
import { isWithin } from '../../session/protect/path-text.ts';
import type { GuardedEntry } from './guard/state.ts';

export interface Tampering {
  readonly path: string;
  /**
   * `made`: a missing protected path was created. `stripped`: its guard was removed, which only the agent has a reason to
   * do. `replaced`: another directory is in its place. `lost`: the workspace cannot be found, so it is unguarded.
   * `failing`: no check succeeds, so it is unguarded too.
   */
  readonly what: 'made' | 'stripped' | 'replaced' | 'lost' | 'failing';
}

/** When the creation of a path was last reported, and whether every check since then found it. */
export interface ReportedCreation {
  readonly atMs: number;
  readonly stayed: boolean;
}

/** At most one report per path and minute, so that creating it in a loop does not flood the audit log and Incus. */
const everyMs = 60_000;

/** Missing paths that now exist and should be reported. A suppressed report follows later, if the path stays. */
export function newlyCreated(
  missing: readonly string[],
  reported: Map<string, ReportedCreation>,
  exists: (path: string) => boolean,
  nowMs: number,
): Tampering[] {
  const fresh: Tampering[] = [];
  for (const path of missing) {
    const before = reported.get(path);
    const isThere = exists(path);
    if (before && !isThere) reported.set(path, { ...before, stayed: false });
    if (!isThere || before?.stayed || nowMs - (before?.atMs ?? -everyMs) < everyMs) continue;
    reported.set(path, { atMs: nowMs, stayed: true });
    fresh.push({ path, what: 'made' });
  }
  return fresh;
}

/** Paths that are newly missing and were never guarded: the host created a link there. Paths that it removes mostly return. */
export function newlyMissing(
  now: readonly string[],
  before: readonly string[],
  guarded: readonly Pick<GuardedEntry, 'path'>[],
): string[] {
  return now.filter(
    (gone) => !before.includes(gone) && !guarded.some(({ path }) => isWithin(path, gone)),
  );
}

/** Changes that the host has no reason to make; it cannot replace a directory that is a mount point in a session. */
export function guardAttacks(
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
