// What the keeper works with, and what it knows of one guarded workspace.
import type { Below } from '../../host/fs/beneath.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { HostPlace, OutsideText } from '../../session/protect/path-walk.ts';
import type { ProtectionPlan } from '../../session/protect/protection-types.ts';
import { nothingProtected } from '../../session/protect/protection-types.ts';
import type { Log } from '../log.ts';
import type { RemoteFiles } from '../mounts/remote-files.ts';
import type { GuardRecord } from './guard/record.ts';
import type { LookSchedule } from './look-schedule.ts';
import type { Tampering, ToldMade } from './tampering.ts';
import type { Looked } from './tree-facts.ts';
import type { Watchers } from './watchers.ts';
import type { HeldRoot } from './workspace-root.ts';

/** After a look that failed. */
export const retryMs = 1000;
/** Where all looks fail for so long, nobody guards the workspace. */
const failingMs = 10_000;

export interface KeeperParts {
  readonly libc: Libc;
  readonly files: Pick<RemoteFiles, 'look' | 'isAnyHeld' | 'isHeld' | 'isHeldDevice'>;
  readonly runDir: string;
  readonly stateDir: string;
  readonly log: Log;
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  /** How long a guard is kept for a session that is not seen to run: it may be about to start. */
  readonly holdMs: number;
  /** Something about a protected path changed while sessions run. */
  readonly tampered: (sessions: readonly string[], tampering: Tampering) => void;
}

export interface Guarded {
  record: GuardRecord;
  /** Its root, while sessions use it: it may be moved. */
  held: HeldRoot | undefined;
  /** The root could not be found at the last look. */
  lost: boolean;
  /** When looks began to fail, or it was told last. */
  failingSinceMs: number | undefined;
  /** The record's text as it is on disk. */
  saved: string;
  plan: ProtectionPlan;
  readonly users: Map<string, number>;
  readonly watchers: Watchers;
  /** Paths of which it was told that they were made. */
  readonly told: Map<string, ToldMade>;
  /** Where links lead that leave the workspace, since the last session began. */
  readonly places: Map<string, HostPlace>;
  /** Files of the host outside of it, likewise. */
  readonly outside: Map<string, OutsideText>;
  readonly rhythm: LookSchedule;
}

/** Before the first look. */
export function unguarded(
  record: GuardRecord,
  users: Map<string, number>,
  rhythm: LookSchedule,
  watchers: Watchers,
): Guarded {
  const nothing = { plan: nothingProtected, saved: '', told: new Map<string, ToldMade>() };
  const host = { places: new Map(), outside: new Map() };
  const root = { held: undefined, lost: false, failingSinceMs: undefined };
  return { record, users, rhythm, watchers, ...nothing, ...host, ...root };
}

export function lookedAt(
  { libc, files }: KeeperParts,
  { record: { root, owner }, places, outside }: Guarded,
  below: Below,
): Looked {
  return { libc, files, below, root, owner, places, outside };
}

/** Tells the sessions of a workspace, and the log. */
export function told(
  { log, tampered }: KeeperParts,
  { record: { root }, users }: Guarded,
  found: readonly Tampering[],
): void {
  for (const tampering of found) {
    log('warning', 'protected-path-changed', { root, ...tampering });
    tampered([...users.keys()], tampering);
  }
}

/**
 * A look failed: something was removed in the midst of it, for example. Where that goes on, the sessions stop. Returns when to
 * look again.
 */
export function failed(parts: KeeperParts, guarded: Guarded, error: unknown): number {
  const { root } = guarded.record;
  parts.log('warning', 'protection-failed', { root, error });
  const nowMs = parts.elapsedMs();
  guarded.failingSinceMs ??= nowMs;
  if (nowMs - guarded.failingSinceMs >= failingMs) {
    guarded.failingSinceMs = nowMs;
    told(parts, guarded, [{ path: root, what: 'failing' }]);
  }
  return retryMs;
}
