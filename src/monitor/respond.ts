// Decides the response to findings, from the state kept between samples of one container. Pure.
import type { MonitorSettings } from './settings.ts';
import { isAtLeast, type Level, type Threat } from './threat.ts';

export type Action =
  | 'logged'
  | 'alerted'
  | 'paused'
  | 'killed'
  | 'logged (already paused)'
  | 'deduplicated'
  | 'suppressed';

export interface ResponseState {
  /** By finding: when it was last recorded, and how often it was seen since. */
  readonly seen: ReadonlyMap<
    string,
    { readonly sinceMs: number; readonly repeats: number; readonly threat: Threat }
  >;
  /** Findings for which the container was paused. They pause only once: whoever resumes it has seen them. */
  readonly acknowledged: ReadonlySet<string>;
  readonly paused: boolean;
  readonly killed: boolean;
  /** Set while paused for a critical finding: it is killed then unless somebody resumes it. */
  readonly pendingKill: { readonly atMs: number; readonly cause: Threat } | undefined;
  /** Records in the current minute, to limit floods. */
  readonly minute: { readonly startMs: number; readonly records: number };
}

export interface Entry {
  readonly threat: Threat;
  readonly action: Action;
  /** How often it was seen without being recorded, for `deduplicated` and `suppressed`. */
  readonly repeats?: number;
}

/** `pause-to-kill` pauses it and keeps evidence; the kill follows after the grace period. */
export type Effect = 'none' | 'pause' | 'pause-to-kill' | 'kill';

export interface Response {
  readonly state: ResponseState;
  readonly entries: readonly Entry[];
  readonly effect: Effect;
  /** The finding that caused the effect. */
  readonly cause: Threat | undefined;
}

export const dedupeMs = 30_000;
const recordsPerMinuteMax = 120;

export const initialResponse: ResponseState = {
  seen: new Map(),
  acknowledged: new Set(),
  paused: false,
  killed: false,
  pendingKill: undefined,
  minute: { startMs: 0, records: 0 },
};

/** Decides the response to the findings of one sample, which are sorted worst first. */
export function respond(
  state: ResponseState,
  threats: readonly Threat[],
  settings: MonitorSettings,
  nowMs: number,
): Response {
  const effect = effectOf(state, threats, settings);
  const { seen, entries: deduplicated } = expired(state.seen, nowMs);
  const entries: Entry[] = [...deduplicated];
  const nextSeen = new Map(seen);
  for (const threat of threats) {
    const id = identity(threat);
    const known = nextSeen.get(id);
    if (known) {
      nextSeen.set(id, { ...known, repeats: known.repeats + 1 });
      continue;
    }
    nextSeen.set(id, { sinceMs: nowMs, repeats: 0, threat });
    entries.push({ threat, action: actionOf(threat, state, effect) });
  }
  const { kept, minute } = limited(entries, state.minute, nowMs);
  const caused = threats.filter(
    (threat) => effect.kind !== 'none' && isAtLeast(threat.level, 'high'),
  );
  return {
    state: {
      seen: nextSeen,
      acknowledged: new Set([
        ...state.acknowledged,
        ...caused.map(identity),
        ...caused.flatMap(subjectsOf),
      ]),
      paused: state.paused || effect.kind === 'pause' || effect.kind === 'pause-to-kill',
      killed: state.killed || effect.kind === 'kill',
      pendingKill:
        effect.kind === 'pause-to-kill' && effect.cause
          ? { atMs: nowMs + settings.killGraceMs, cause: effect.cause }
          : state.pendingKill,
      minute,
    },
    entries: kept,
    effect: effect.kind,
    cause: effect.cause,
  };
}

/** The state after the owner has resumed the container. */
export function resumed(state: ResponseState): ResponseState {
  return { ...state, paused: false, pendingKill: undefined };
}

/** The finding for which the container must be killed now: nobody resumed it within the grace period. */
export function overdue(
  { pendingKill: doom, paused, killed }: ResponseState,
  nowMs: number,
): Threat | undefined {
  return doom && paused && !killed && nowMs >= doom.atMs ? doom.cause : undefined;
}

export function markKilled(state: ResponseState): ResponseState {
  return { ...state, killed: true };
}

function identity({ category, title, key }: Threat): string {
  return JSON.stringify([category, title, key]);
}

/**
 * The process of the finding. While a shell connects, one sample shows its command line and the next its streams: the
 * same process must pause the container only once.
 */
function subjectsOf({ category, evidence }: Threat): string[] {
  const { pid } = (evidence['process'] ?? {}) as { readonly pid?: unknown };
  return category === 'process' && typeof pid === 'number' ? [`process ${pid}`] : [];
}

/**
 * High pauses. Critical pauses and kills after the grace period, or at once if there is none or pausing is off.
 * Critical counts as high if killing is off.
 */
function effectOf(
  { acknowledged: answered, paused, killed: dead }: ResponseState,
  threats: readonly Threat[],
  { killOnCritical, pauseOnHigh, killGraceMs }: MonitorSettings,
): { readonly kind: Effect; readonly cause: Threat | undefined } {
  const nothing = { kind: 'none', cause: undefined } as const;
  if (dead) return nothing;
  const isKnown = (threat: Threat) =>
    answered.has(identity(threat)) || subjectsOf(threat).some((subject) => answered.has(subject));
  const fresh = threats.filter((threat) => !isKnown(threat));
  const critical = fresh.find(({ level }) => level === 'critical');
  if (critical && killOnCritical) {
    return { kind: pauseOnHigh && killGraceMs > 0 ? 'pause-to-kill' : 'kill', cause: critical };
  }
  const high = fresh.find(({ level }) => isAtLeast(level, 'high'));
  return high && pauseOnHigh && !paused ? { kind: 'pause', cause: high } : nothing;
}

function actionOf(threat: Threat, state: ResponseState, effect: { readonly kind: Effect }): Action {
  if (threat.level === 'info') return 'logged';
  if (threat.level === 'warning') return 'alerted';
  if (effect.kind === 'kill' && threat.level === 'critical') return 'killed';
  if (effect.kind !== 'none') return 'paused';
  return state.paused ? 'logged (already paused)' : 'alerted';
}

/** Findings whose 30 seconds are over; their number of repeats is recorded once. */
function expired(
  seen: ResponseState['seen'],
  nowMs: number,
): { seen: ResponseState['seen']; entries: Entry[] } {
  const left = new Map(seen);
  const entries: Entry[] = [];
  for (const [id, { sinceMs, repeats, threat }] of seen) {
    if (nowMs - sinceMs < dedupeMs) continue;
    left.delete(id);
    if (repeats > 0) {
      entries.push({ threat, action: 'deduplicated', repeats });
      // It still repeats, so the next thirty seconds are only counted.
      left.set(id, { sinceMs: nowMs, repeats: 0, threat });
    }
  }
  return { seen: left, entries };
}

/** At most 120 records a minute; causes of an effect are always recorded. */
function limited(
  entries: readonly Entry[],
  minute: ResponseState['minute'],
  nowMs: number,
): { kept: Entry[]; minute: ResponseState['minute'] } {
  const current = nowMs - minute.startMs < 60_000 ? minute : { startMs: nowMs, records: 0 };
  const room = Math.max(0, recordsPerMinuteMax - current.records);
  const important = (entry: Entry) => entry.action === 'paused' || entry.action === 'killed';
  const ordinary = entries.filter((entry) => !important(entry));
  const dropped = new Set(ordinary.slice(room));
  const kept = entries.filter((entry) => !dropped.has(entry));
  const [first] = dropped;
  // Recorded once per minute, when the first one is dropped.
  if (first && room > 0)
    kept.push({
      threat: suppression(first.threat.level),
      action: 'suppressed',
      repeats: dropped.size,
    });
  return { kept, minute: { ...current, records: current.records + ordinary.length } };
}

function suppression(level: Level): Threat {
  return {
    level: level === 'info' ? 'info' : 'warning',
    category: 'monitor',
    title: 'Too many findings',
    description: `More than ${recordsPerMinuteMax} findings in a minute: the rest is not recorded.`,
    evidence: {},
    key: 'flood',
  };
}
