// Watches one container: samples it, runs the detectors and executes the response.
import { randomUUID } from 'node:crypto';
import type { Allowance, Steps } from '../../host/proc/allowance.ts';
import { freeze, isFrozen } from '../../host/proc/cgroups.ts';
import { type Alert, nextAlert } from '../../monitor/alert.ts';
import { type AuditEvent, auditRecord } from '../../monitor/audit.ts';
import { type DetectionState, detect, initialDetection } from '../../monitor/detect.ts';
import { redacted } from '../../monitor/redact.ts';
import {
  initialResponse,
  markKilled,
  overdue,
  type ResponseState,
  respond,
  resumed,
} from '../../monitor/respond.ts';
import { changeBetween, type Sample, type Touch } from '../../monitor/sample.ts';
import type { MonitorSettings } from '../../monitor/settings.ts';
import { recentThreats, type Snapshot, snapshotOf } from '../../monitor/snapshot.ts';
import type { Threat } from '../../monitor/threat.ts';
import type { AuditLogs, LogName } from './audit-log.ts';
import type { Sampler } from './sampler.ts';
import type { ScheduledWatch } from './watch-scheduler.ts';

const touchesMax = 100;

export interface WatchedSession {
  readonly name: string;
  /** Host uid of the session's owner. */
  readonly owner: number;
  readonly idmapBase: number;
  /** Mounts id. */
  readonly mounts: string;
  readonly settings: MonitorSettings;
}

/** Effects of a watch besides audit records. None of them may throw or block. */
export interface Effects {
  /** Marks the container as frozen in Incus; its processes are frozen already. */
  readonly paused: (session: WatchedSession, cause: Threat) => void;
  /** Saves evidence from the frozen container. */
  readonly saveEvidence: (session: WatchedSession, cause: Threat, sample: Sample) => void;
  /** Stops the frozen container. */
  readonly kill: (session: WatchedSession, cause: Threat) => void;
  readonly alert: (session: WatchedSession, alert: Alert) => void;
  readonly failed: (session: WatchedSession, what: string, error: unknown) => void;
}

export interface WatchParts {
  readonly sampler: Sampler;
  readonly logs: AuditLogs;
  readonly effects: Effects;
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  /** The earlier alert on the instance. */
  readonly alert: Alert | undefined;
}

export class ContainerWatch implements ScheduledWatch {
  readonly session: WatchedSession;
  readonly sampler: Sampler;
  readonly #parts: WatchParts;
  #watch: DetectionState = initialDetection;
  #response: ResponseState = initialResponse;
  #alert: Alert | undefined;
  #before: Sample | undefined;
  #kept: { readonly threat: Threat; readonly atMs: number }[] = [];
  readonly #touches: Touch[] = [];
  #ended = false;

  constructor(session: WatchedSession, parts: WatchParts) {
    this.session = session;
    this.sampler = parts.sampler;
    this.#parts = parts;
    this.#alert = parts.alert;
    // Paused before this coid started. The user who resumes it has seen the alert.
    if (isFrozen(parts.sampler.cgroups)) this.#response = { ...initialResponse, paused: true };
    this.note('watch-started', { pollMs: session.settings.pollMs });
  }

  get pollMs(): number {
    return this.session.settings.pollMs;
  }

  /** The container is gone, or was killed. */
  get ended(): boolean {
    return this.#ended;
  }

  get paused(): boolean {
    return this.#response.paused;
  }

  /** Adds a touch from another source to the next sample. */
  addTouch(touch: Touch): void {
    if (this.#touches.length < touchesMax) this.#touches.push(touch);
  }

  /** Takes one sample. Never throws. */
  *tick(allowance: Allowance): Steps<void> {
    if (this.#ended) return;
    try {
      yield* this.#takeSample(allowance);
    } catch (error) {
      this.#parts.effects.failed(this.session, 'sample', error);
    }
  }

  /** Writes an event that is not a finding. */
  note(event: AuditEvent, evidence: Readonly<Record<string, unknown>> = {}): void {
    const threat = {
      level: 'info',
      category: 'monitor',
      title: eventTitles[event],
      description: eventTitles[event],
      evidence,
    } as const;
    this.#write(threat, event);
  }

  /** Undefined before the first sample. */
  snapshot(): Snapshot | undefined {
    const sample = this.#watch.last;
    if (!sample) return undefined;
    const before = this.#before ?? sample;
    const { idmapBase } = this.session;
    const threats = this.#kept.map(({ threat }) => threat);
    return snapshotOf(sample, before, changeBetween(before, sample), {
      watched: true,
      paused: this.paused,
      idmapBase,
      threats,
    });
  }

  *#takeSample(allowance: Allowance): Steps<void> {
    if (this.paused) {
      const frozen = isFrozen(this.sampler.cgroups);
      if (frozen === undefined) this.#end();
      const cause = overdue(this.#response, this.#parts.elapsedMs());
      if (frozen && cause) this.#kill(cause);
      if (frozen !== false) return;
      this.#resume();
    }
    const taken = yield* this.sampler.sample(allowance);
    const touches = this.#touches.splice(0);
    const sample = taken && { ...taken, touches: [...taken.touches, ...touches] };
    if (!sample) {
      this.#end();
      return;
    }
    this.#before = this.#watch.last;
    const { watch, threats } = detect(this.#watch, sample, this.session.settings);
    this.#watch = watch;
    this.#kept = recentThreats(this.#kept, threats, sample.atMs);
    this.#respond(threats, sample);
  }

  #respond(threats: readonly Threat[], sample: Sample): void {
    const { effects } = this.#parts;
    const { state, entries, effect, cause } = respond(
      this.#response,
      threats,
      this.session.settings,
      sample.atMs,
    );
    // Freeze before anything else.
    if (effect !== 'none') this.#freeze();
    this.#response = state;
    for (const { threat, action, repeats } of entries) this.#write(threat, action, repeats);
    // Before the status in Incus becomes Frozen, so that the reason is always there.
    const alert = nextAlert(this.#alert, entries, sample.time);
    const killAtMs = effect === 'pause-to-kill' ? state.pendingKill?.atMs : undefined;
    if (alert)
      this.#raiseAlert(
        killAtMs === undefined ? alert : { ...alert, killAt: this.#timeOf(killAtMs) },
      );
    if ((effect === 'pause-to-kill' || effect === 'kill') && cause)
      effects.saveEvidence(this.session, cause, sample);
    if ((effect === 'pause' || effect === 'pause-to-kill') && cause)
      effects.paused(this.session, cause);
    if (effect === 'kill' && cause) this.#end();
    if (effect === 'kill' && cause) effects.kill(this.session, cause);
  }

  #timeOf(atMs: number): string {
    const { now, elapsedMs } = this.#parts;
    return new Date(now().getTime() + atMs - elapsedMs()).toISOString();
  }

  #freeze(): void {
    try {
      freeze(this.sampler.cgroups);
    } catch (error) {
      // Incus freezes it anyway.
      this.#parts.effects.failed(this.session, 'freeze', error);
    }
  }

  /** The container was not resumed in time. */
  #kill(cause: Threat): void {
    this.#response = markKilled(this.#response);
    this.#write(cause, 'killed');
    this.#raiseAlert({
      level: cause.level,
      title: cause.title,
      description: redacted(cause.description),
      time: this.#parts.now().toISOString(),
      action: 'killed',
    });
    this.#end();
    this.#parts.effects.kill(this.session, cause);
  }

  #resume(): void {
    this.#response = resumed(this.#response);
    this.note('unfrozen');
    if (this.#alert) {
      this.#raiseAlert({
        ...this.#alert,
        action: 'unfrozen',
        time: this.#parts.now().toISOString(),
      });
    }
  }

  #raiseAlert(alert: Alert): void {
    this.#alert = alert;
    this.#parts.effects.alert(this.session, alert);
  }

  #end(): void {
    this.#ended = true;
    this.note('watch-ended');
  }

  #write(
    threat: Omit<Threat, 'key'>,
    action: Parameters<typeof auditRecord>[2],
    repeats?: number,
  ): void {
    const { logs, now, effects } = this.#parts;
    const about = {
      id: randomUUID(),
      timestamp: now().toISOString(),
      container: this.session.name,
    };
    try {
      logs.append(logOf(this.session), auditRecord(about, threat, action, repeats));
    } catch (error) {
      effects.failed(this.session, 'audit', error);
    }
  }
}

export function logOf({ owner, name }: WatchedSession): LogName {
  return { owner, container: name };
}

const eventTitles: Readonly<Record<AuditEvent, string>> = {
  'watch-started': 'Monitoring started',
  'watch-ended': 'Monitoring ended',
  unfrozen: 'The container was resumed',
  'evidence-kept': 'Evidence was saved',
  failed: 'An action failed',
};
