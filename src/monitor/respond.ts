// What is done about findings: pure. The state is what must be remembered between samples of one container.
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
  /** By finding: when it was last written, and how often it was seen since. */
  readonly seen: ReadonlyMap<
    string,
    { readonly sinceMs: number; readonly repeats: number; readonly threat: Threat }
  >;
  /** Findings that the container was paused for. They are answered once: whoever lets go of it has seen them. */
  readonly answered: ReadonlySet<string>;
  readonly paused: boolean;
  readonly killed: boolean;
  /** Paused for a critical finding: killed then, unless somebody lets go of it before. */
  readonly doom: { readonly atMs: number; readonly cause: Threat } | undefined;
  /** Records of the running minute, against floods. */
  readonly minute: { readonly startMs: number; readonly records: number };
}

export interface Entry {
  readonly threat: Threat;
  readonly action: Action;
  /** How often it was seen without being written, for `deduplicated` and `suppressed`. */
  readonly repeats?: number;
}

/** `pause-to-kill` stops it and keeps evidence; the kill follows when the time to think is over. */
export type Effect = 'none' | 'pause' | 'pause-to-kill' | 'kill';

export interface Response {
  readonly state: ResponseState;
  readonly entries: readonly Entry[];
  readonly effect: Effect;
  /** What the effect is for. */
  readonly cause: Threat | undefined;
}

export const dedupeMs = 30_000;
const recordsPerMinuteMax = 120;

export const noResponse: ResponseState = {
  seen: new Map(),
  answered: new Set(),
  paused: false,
  killed: false,
  doom: undefined,
  minute: { startMs: 0, records: 0 },
};

/** Decides about the findings of one sample, the worst first. */
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
      answered: new Set([...state.answered, ...caused.map(identity), ...caused.flatMap(about)]),
      paused: state.paused || effect.kind === 'pause' || effect.kind === 'pause-to-kill',
      killed: state.killed || effect.kind === 'kill',
      doom:
        effect.kind === 'pause-to-kill' && effect.cause
          ? { atMs: nowMs + settings.killGraceMs, cause: effect.cause }
          : state.doom,
      minute,
    },
    entries: kept,
    effect: effect.kind,
    cause: effect.cause,
  };
}

/** The container runs again, let go by its owner. */
export function letGo(state: ResponseState): ResponseState {
  return { ...state, paused: false, doom: undefined };
}

/** What it has to be killed for now: it was paused for a critical finding, and nobody let go of it in time. */
export function overdue(
  { doom, paused, killed }: ResponseState,
  nowMs: number,
): Threat | undefined {
  return doom && paused && !killed && nowMs >= doom.atMs ? doom.cause : undefined;
}

export function killed(state: ResponseState): ResponseState {
  return { ...state, killed: true };
}

function identity({ category, title, key }: Threat): string {
  return JSON.stringify([category, title, key]);
}

/**
 * The process of the finding. While a shell opens its way out, one sample sees its command line and the next its
 * streams: the same process is answered once, whatever it is called.
 */
function about({ category, evidence }: Threat): string[] {
  const { pid } = (evidence['process'] ?? {}) as { readonly pid?: unknown };
  return category === 'process' && typeof pid === 'number' ? [`process ${pid}`] : [];
}

/**
 * High pauses. Critical pauses, too, and kills when the time to think is over; at once where there is none, or where
 * pausing is switched off. Critical without permission to kill is as bad as high.
 */
function effectOf(
  { answered, paused, killed: dead }: ResponseState,
  threats: readonly Threat[],
  { killOnCritical, pauseOnHigh, killGraceMs }: MonitorSettings,
): { readonly kind: Effect; readonly cause: Threat | undefined } {
  const nothing = { kind: 'none', cause: undefined } as const;
  if (dead) return nothing;
  const isKnown = (threat: Threat) =>
    answered.has(identity(threat)) || about(threat).some((subject) => answered.has(subject));
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

/** Findings whose 30 seconds are over: how often they came again is written once. */
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
      // It goes on, so the next thirty seconds are counted, not written anew.
      left.set(id, { sinceMs: nowMs, repeats: 0, threat });
    }
  }
  return { seen: left, entries };
}

/** At most 120 records a minute; what led to an effect is always written. */
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
  // Said once for the minute, when the first one is left out.
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
    description: `More than ${recordsPerMinuteMax} findings in a minute: the rest is not written.`,
    evidence: {},
    key: 'flood',
  };
}
