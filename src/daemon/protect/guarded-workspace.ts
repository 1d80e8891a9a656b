// What the keeper works with, and what it knows of one guarded workspace.
import type { Libc } from '../../host/libc.ts';
import { nothingProtected, type ProtectionPlan } from '../../session/protect.ts';
import type { HostPlace, OutsideText } from '../../session/way.ts';
import type { Log } from '../log.ts';
import type { RemoteFiles } from '../remote-files.ts';
import type { GuardRecord } from './record.ts';
import type { Rhythm } from './rhythm.ts';
import type { Tampering, ToldMade } from './tampering.ts';
import type { Watchers } from './watchers.ts';
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
  readonly rhythm: Rhythm;
}

/** Before the first look. */
export function unguarded(
  record: GuardRecord,
  users: Map<string, number>,
  rhythm: Rhythm,
  watchers: Watchers,
): Guarded {
  const nothing = { plan: nothingProtected, saved: '', told: new Map<string, ToldMade>() };
  const host = { places: new Map(), outside: new Map() };
  const root = { held: undefined, lost: false };
  return { record, users, rhythm, watchers, ...nothing, ...host, ...root };
}
