// The form of every detector: facts in, findings out.
import type { Change, Sample } from '../sample.ts';
import type { MonitorSettings } from '../settings.ts';
import type { Threat } from '../threat.ts';

export interface Facts {
  readonly now: Sample;
  readonly before: Sample;
  readonly change: Change;
  /** What was measured in the last minute, the newest last, this change included. */
  readonly recent: readonly Change[];
  readonly settings: MonitorSettings;
}

export type Detector = (facts: Facts) => readonly Threat[];
