// Runs all detectors on one sample.
import { contacts } from './detectors/contacts.ts';
import type { Detector, Facts } from './detectors/detector.ts';
import { denials, dnsTunnel, dnsVolume } from './detectors/guard.ts';
import { newListeners } from './detectors/listeners.ts';
import { oneLiners } from './detectors/one-liners.ts';
import { tooMuchToCheck } from './detectors/overload.ts';
import { forkBomb, spawnRate } from './detectors/processes.ts';
import { reverseShell } from './detectors/reverse-shell.ts';
import { secretSearch } from './detectors/secrets.ts';
import { touchedFiles } from './detectors/touches.ts';
import { bulkTransfer, largeWrites } from './detectors/volume.ts';
import { type Change, changeBetween, type Sample } from './sample.ts';
import type { MonitorSettings } from './settings.ts';
import { compareLevels, type Threat } from './threat.ts';

/** Detectors that read processes, sockets and counters. */
const processDetectors: readonly Detector[] = [
  reverseShell,
  oneLiners,
  contacts,
  bulkTransfer,
  largeWrites,
  forkBomb,
  spawnRate,
  secretSearch,
  newListeners,
  tooMuchToCheck,
];
/** Detectors that read reports of the network guard and the file watch. */
const reportDetectors: readonly Detector[] = [touchedFiles, dnsTunnel, dnsVolume, denials];

const historyMs = 120_000;
/** Findings per sample; the worst are kept. */
const threatsMax = 500;

/** The state between samples. */
export interface DetectionState {
  readonly last: Sample | undefined;
  readonly recent: readonly Change[];
}

export const initialDetection: DetectionState = { last: undefined, recent: [] };

/** The findings of the next sample. The first one is compared with itself. */
export function detect(
  watch: DetectionState,
  now: Sample,
  settings: MonitorSettings,
): { readonly watch: DetectionState; readonly threats: readonly Threat[] } {
  const before = watch.last ?? now;
  const change = changeBetween(before, now);
  const recent = trim([...watch.recent, change]);
  const facts: Facts = { now, before, change, recent, settings };
  // If nothing ran, only reports can be new.
  const detectors = now.quiet ? reportDetectors : [...processDetectors, ...reportDetectors];
  const threats = detectors.flatMap((detector) => detector(facts));
  return {
    watch: { last: now, recent },
    threats: threats
      .toSorted((one, other) => compareLevels(other.level, one.level))
      .slice(0, threatsMax),
  };
}

function trim(changes: readonly Change[]): Change[] {
  let age = 0;
  return changes
    .toReversed()
    .filter(({ elapsedMs }) => {
      age += elapsedMs;
      return age <= historyMs;
    })
    .reverse();
}
