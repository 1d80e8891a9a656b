// The type of detectors: facts in, findings out.
import type { Change, Sample } from '../sample.ts';
import type { MonitorSettings } from '../settings.ts';
import type { Threat } from '../threat.ts';

export interface Facts {
  readonly now: Sample;
  readonly before: Sample;
  readonly change: Change;
  /** The latest changes, newest last, including this one. */
  readonly recent: readonly Change[];
  readonly settings: MonitorSettings;
}

export type Detector = (facts: Facts) => readonly Threat[];
