// All detectors, and what they find in one sample.
import { contacts } from './detectors/contacts.ts';
import { crowd } from './detectors/crowd.ts';
import type { Detector, Facts } from './detectors/detector.ts';
import { denials, dnsTunnel, dnsVolume } from './detectors/guard.ts';
import { newListeners } from './detectors/listeners.ts';
import { oneLiners } from './detectors/one-liners.ts';
import { forkBomb, spawnRate } from './detectors/processes.ts';
import { reverseShell } from './detectors/reverse-shell.ts';
import { secretSearch } from './detectors/secrets.ts';
import { touchedFiles } from './detectors/touches.ts';
import { bulkTransfer, largeWrites } from './detectors/volume.ts';
import { type Change, changeBetween, type Sample } from './sample.ts';
import type { MonitorSettings } from './settings.ts';
import { compareLevels, type Threat } from './threat.ts';

/** Those that look at processes, sockets and counters. */
const looking: readonly Detector[] = [
  reverseShell,
  oneLiners,
  contacts,
  bulkTransfer,
  largeWrites,
  forkBomb,
  spawnRate,
  secretSearch,
  newListeners,
  crowd,
];
/** Those that look at what others report. */
const informed: readonly Detector[] = [touchedFiles, dnsTunnel, dnsVolume, denials];

const historyMs = 120_000;
/** Of one sample: nobody reads more, and the worst are kept. */
const threatsMax = 500;

/** What is kept from sample to sample. */
export interface Watch {
  readonly last: Sample | undefined;
  readonly recent: readonly Change[];
}

export const noWatch: Watch = { last: undefined, recent: [] };

/** What one more sample tells. The first one has nothing to be compared with: it is compared with itself. */
export function detect(
  watch: Watch,
  now: Sample,
  settings: MonitorSettings,
): { readonly watch: Watch; readonly threats: readonly Threat[] } {
  const before = watch.last ?? now;
  const change = changeBetween(before, now);
  const recent = trimmed([...watch.recent, change]);
  const facts: Facts = { now, before, change, recent, settings };
  // Where nothing ran, only what others report can be new.
  const detectors = now.quiet ? informed : [...looking, ...informed];
  const threats = detectors.flatMap((detector) => detector(facts));
  return {
    watch: { last: now, recent },
    threats: threats
      .toSorted((one, other) => compareLevels(other.level, one.level))
      .slice(0, threatsMax),
  };
}

function trimmed(changes: readonly Change[]): Change[] {
  let age = 0;
  return changes
    .toReversed()
    .filter(({ elapsedMs }) => {
      age += elapsedMs;
      return age <= historyMs;
    })
    .reverse();
}
