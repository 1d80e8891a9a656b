// What the keeper works with, and what it knows of one guarded workspace.
import type { Below } from '../../host/guarded.ts';
import type { Libc } from '../../host/libc.ts';
import { nothingProtected, type ProtectionPlan } from '../../session/protect.ts';
import type { HostPlace, OutsideText } from '../../session/way.ts';
import type { Log } from '../log.ts';
import type { RemoteFiles } from '../remote-files.ts';
import type { FoundIndex } from './indexes.ts';
import type { GuardRecord } from './record.ts';
import { Rhythm } from './rhythm.ts';
import type { Tampering, ToldMade } from './tampering.ts';
import type { Looked } from './tree-facts.ts';
import { Watchers } from './watchers.ts';
import type { HeldRoot } from './workspace-root.ts';

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

/** What was done to git's indexes while it is guarded. */
export interface Attempts {
  /** How often something was taken out. */
  count: number;
  /** Looks in a row that found the index held. */
  busy: number;
  /** When its sessions were stopped last. */
  stoppedMs: number | undefined;
  /** What was added and is not checked out: it is sealed, and looked at again when it is. */
  readonly open: Set<string>;
}

export interface Guarded {
  record: GuardRecord;
  /** Its root, while sessions use it: it may be moved. */
  held: HeldRoot | undefined;
  /** The root could not be found at the last look. */
  lost: boolean;
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
  readonly indexes: Map<string, FoundIndex>;
  readonly attempts: Attempts;
  readonly rhythm: Rhythm;
  /** Of the looks at git's indexes. */
  readonly indexRhythm: Rhythm;
}

export interface Looks {
  readonly look: (guarded: Guarded) => Promise<number | undefined>;
  readonly lookAtIndexes: (guarded: Guarded) => Promise<number | undefined>;
  /** All workspaces that are guarded. */
  readonly others: () => Iterable<Guarded>;
}

/** Before the first look. */
export function unguarded(
  record: GuardRecord,
  users: Map<string, number>,
  elapsedMs: () => number,
  { look, lookAtIndexes, others }: Looks,
): Guarded {
  const rhythm = new Rhythm(elapsedMs, () => look(guarded));
  const indexRhythm = new Rhythm(elapsedMs, () => lookAtIndexes(guarded));
  // Also of workspaces whose index lies in the directory of git that they share, which has a guard of its own.
  const indexChanged = () => {
    for (const one of others()) if (sharesUser(one, guarded)) one.indexRhythm.soon(0);
  };
  const watchers = new Watchers({ changed: () => rhythm.soon(), indexChanged });
  const nothing = { plan: nothingProtected, saved: '', told: new Map<string, ToldMade>() };
  const host = { places: new Map(), outside: new Map(), indexes: new Map() };
  const root = { held: undefined, lost: false };
  const attempts = { count: 0, busy: 0, stoppedMs: undefined, open: new Set<string>() };
  const looks = { rhythm, indexRhythm, watchers };
  const guarded: Guarded = { record, users, ...looks, ...nothing, ...host, ...root, attempts };
  return guarded;
}

export function lookedAt(
  { libc, files }: KeeperParts,
  { record: { root, owner }, places, outside, indexes }: Guarded,
  below: Below,
): Looked {
  return { libc, files, below, root, owner, places, outside, indexes };
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

function sharesUser(one: Guarded, other: Guarded): boolean {
  return [...one.users.keys()].some((id) => other.users.has(id));
}

export function unwatch(guarded: Guarded): void {
  guarded.rhythm.close();
  guarded.indexRhythm.close();
  guarded.watchers.close();
  guarded.held?.[Symbol.dispose]();
  guarded.held = undefined;
}
