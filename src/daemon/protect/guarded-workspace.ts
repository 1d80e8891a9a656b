// The state of one guarded workspace, and the dependencies of workspace guards.
import type { Beneath } from '../../host/fs/beneath.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { HostLocation, OutsideText } from '../../session/protect/path-walk.ts';
import type { ProtectionPlan } from '../../session/protect/protection-types.ts';
import { nothingProtected } from '../../session/protect/protection-types.ts';
import type { Log } from '../log.ts';
import type { RemoteFileSystems } from '../mounts/remote-file-systems.ts';
import type { CheckSchedule } from './check-schedule.ts';
import type { GuardRecord } from './guard/record.ts';
import type { ReportedCreation, Tampering } from './tampering.ts';
import type { TreeContext } from './tree-facts.ts';
import type { Watchers } from './watchers.ts';
import type { HeldRoot } from './workspace-root.ts';

/** Delay after a failed check. */
export const retryMs = 1000;
/** If checks fail for this long, the workspace counts as unguarded. */
const failingMs = 10_000;

export interface WorkspaceGuardsParts {
  readonly libc: Libc;
  readonly files: Pick<
    RemoteFileSystems,
    'check' | 'isAnyUnresponsive' | 'isUnresponsive' | 'isUnresponsiveDevice'
  >;
  readonly runDir: string;
  readonly stateDir: string;
  readonly log: Log;
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  /** How long the guard stays for a session that is not running: it may be about to start. */
  readonly graceMs: number;
  /** A protected path changed while sessions were running. */
  readonly tampered: (sessions: readonly string[], tampering: Tampering) => void;
}

export interface GuardedWorkspace {
  record: GuardRecord;
  /** Keeps the root open while sessions use it, because it may be moved. */
  held: HeldRoot | undefined;
  /** The last check did not find the root. */
  lost: boolean;
  /** When checks began to fail, or when this was last reported. */
  failingSinceMs: number | undefined;
  /** The record's text on disk. */
  saved: string;
  plan: ProtectionPlan;
  readonly users: Map<string, number>;
  readonly watchers: Watchers;
  /** Paths whose creation was reported. */
  readonly reported: Map<string, ReportedCreation>;
  /** Resolved links that leave the workspace, since the last session started. */
  readonly locations: Map<string, HostLocation>;
  /** Host files outside the workspace, since the last session started. */
  readonly outside: Map<string, OutsideText>;
  readonly schedule: CheckSchedule;
}

/** The state before the first check. */
export function newGuardedWorkspace(
  record: GuardRecord,
  users: Map<string, number>,
  schedule: CheckSchedule,
  watchers: Watchers,
): GuardedWorkspace {
  const nothing = {
    plan: nothingProtected,
    saved: '',
    reported: new Map<string, ReportedCreation>(),
  };
  const host = { locations: new Map(), outside: new Map() };
  const root = { held: undefined, lost: false, failingSinceMs: undefined };
  return { record, users, schedule, watchers, ...nothing, ...host, ...root };
}

export function treeContextOf(
  { libc, files }: WorkspaceGuardsParts,
  { record: { root, owner }, locations, outside }: GuardedWorkspace,
  below: Beneath,
): TreeContext {
  return { libc, files, below, root, owner, locations, outside };
}

/** Reports to the log and to the sessions of the workspace. */
export function reportTampering(
  { log, tampered }: WorkspaceGuardsParts,
  { record: { root }, users }: GuardedWorkspace,
  found: readonly Tampering[],
): void {
  for (const tampering of found) {
    log('warning', 'protected-path-changed', { root, ...tampering });
    tampered([...users.keys()], tampering);
  }
}

/**
 * Handles a failed check, for example because something was removed during it. If checks keep failing, the sessions are
 * paused. Returns when to check again.
 */
export function handleFailure(
  parts: WorkspaceGuardsParts,
  guarded: GuardedWorkspace,
  error: unknown,
): number {
  const { root } = guarded.record;
  parts.log('warning', 'protection-failed', { root, error });
  const nowMs = parts.elapsedMs();
  guarded.failingSinceMs ??= nowMs;
  if (nowMs - guarded.failingSinceMs >= failingMs) {
    guarded.failingSinceMs = nowMs;
    reportTampering(parts, guarded, [{ path: root, what: 'failing' }]);
  }
  return retryMs;
}
