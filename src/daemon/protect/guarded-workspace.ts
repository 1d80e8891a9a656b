// What the keeper knows of one guarded workspace.
import type { ProtectionPlan } from '../../session/protect.ts';
import type { HostPlace, OutsideText } from '../../session/way.ts';
import type { GuardRecord } from './record.ts';
import type { Rhythm } from './rhythm.ts';
import type { ToldMade } from './tampering.ts';
import type { Watchers } from './watchers.ts';

export interface Guarded {
  record: GuardRecord;
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
