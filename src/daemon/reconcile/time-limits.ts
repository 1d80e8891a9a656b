// Stops sessions that exceed their `[limits.runtime] max_duration`, attached or not.
import { type Incus, IncusError } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import {
  type ContainerRef,
  changeState,
  StaleContainerRef,
  updateContainer,
} from '../../session/record/change-instance.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { StuckContainers } from './stuck.ts';

export interface DeadlinesParts {
  readonly incus: Incus;
  readonly log: Log;
  readonly runDir: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** For a container that a forced stop does not end. */
  readonly stuck?: Pick<StuckContainers, 'whileWaiting'> | undefined;
}

export interface Deadline {
  /** Id of the session's mounts. */
  readonly id: string;
  readonly name: string;
  readonly atMs: number;
  readonly graceful: boolean;
}

const stopSeconds = 30;
const stopLimitMs = 60_000;
/** Interval of clock checks, because the clock may be changed. */
const clockCheckMs = 10_000;
/** Retry delay: Incus refuses a stop during another operation on the instance, such as coid's own mark. */
const retryMs = 1000;

/**
 * The deadline of each running session, by the wall clock. `since` holds when each was first seen running, so that a
 * reboot inside does not extend the time. Pure.
 */
export function deadlinesOf(
  instances: readonly Instance[],
  runDir: string,
  since: ReadonlyMap<string, number>,
): { readonly deadlines: readonly Deadline[]; readonly since: ReadonlyMap<string, number> } {
  const running = instances.flatMap((instance) => {
    const record = sessionRecord(instance.config);
    return record?.mounts.runDir === runDir && instance.status !== 'Stopped'
      ? [{ instance, id: record.mounts.id }]
      : [];
  });
  const started = new Map(
    running
      .map(({ instance, id }) => [id, since.get(id) ?? Date.parse(instance.last_used_at)] as const)
      // 1970 means "never started"; it shows briefly during a start.
      .filter(([, ms]) => ms > 0),
  );
  const found = running.flatMap(({ instance: { name, config, status }, id }): Deadline[] => {
    const [, ms, how] = /^(\d{1,12}) (graceful|force)$/.exec(config[keys.maxDuration] ?? '') ?? [];
    const atMs = (started.get(id) ?? Number.NaN) + Number(ms);
    if (ms === undefined || Number.isNaN(atMs)) return [];
    // A paused guest cannot shut down gracefully.
    return [{ id, name, atMs, graceful: how === 'graceful' && status !== 'Frozen' }];
  });
  return { deadlines: found, since: started };
}

export class Deadlines {
  readonly #parts: DeadlinesParts;
  #since: ReadonlyMap<string, number> = new Map();
  #deadlines: readonly Deadline[] = [];
  #timer: NodeJS.Timeout | undefined;
  readonly #ending = new Set<string>();

  constructor(parts: DeadlinesParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  /** Called in each reconcile pass with all instances. */
  reconcile(instances: readonly Instance[]): void {
    const next = deadlinesOf(instances, this.#parts.runDir, this.#since);
    this.#since = next.since;
    this.#deadlines = next.deadlines;
    this.#check();
  }

  #check(): void {
    const { now, signal } = this.#parts;
    clearTimeout(this.#timer);
    if (signal.aborted || this.#deadlines.length === 0) return;
    const nowMs = now().getTime();
    const due = this.#deadlines.filter(({ atMs }) => atMs <= nowMs);
    for (const deadline of due) void this.#end(deadline);
    const waits = this.#deadlines.map(({ atMs }) => (atMs <= nowMs ? clockCheckMs : atMs - nowMs));
    this.#checkWithin(Math.min(clockCheckMs, ...waits));
  }

  #checkWithin(waitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#check(), waitMs);
    this.#timer.unref();
  }

  async #end({ id, name, graceful }: Deadline): Promise<void> {
    const { log, signal } = this.#parts;
    if (this.#ending.has(id)) return;
    this.#ending.add(id);
    const ref = { name, mountsId: id };
    log('info', 'time-is-over', { name, id });
    try {
      await this.#mark(ref);
      if (!graceful || !(await this.#stop(ref, { force: false })))
        await this.#stop(ref, { force: true });
    } catch (error) {
      // It has ended, and its name may have been reused.
      if (signal.aborted || error instanceof StaleContainerRef) return;
      log('warning', 'time-is-over-but-runs', { name, error });
      this.#checkWithin(retryMs);
    } finally {
      this.#ending.delete(id);
    }
  }

  /** Tells attached clients the reason. A failure only loses the message; the session still ends. */
  async #mark(ref: ContainerRef): Promise<void> {
    const { incus, log, now, signal } = this.#parts;
    try {
      const config = { [keys.timeOver]: now().toISOString() };
      await updateContainer(incus, ref, { config }, { signal });
    } catch (error) {
      if (!(error instanceof IncusError)) throw error;
      log('warning', 'time-is-over-not-told', { name: ref.name, error });
    }
  }

  /** False if Incus or the guest refused. The reconciler finishes the stopped container. */
  async #stop(ref: ContainerRef, { force }: { force: boolean }): Promise<boolean> {
    const { incus, signal, stuck } = this.#parts;
    try {
      const change = { action: 'stop', timeout: stopSeconds, force } as const;
      const stop = await changeState(incus, ref, change, { signal });
      const stopping = stop.wait({ signal, timeoutMs: stopLimitMs });
      await (stuck?.whileWaiting(ref, stopping) ?? stopping);
      return true;
    } catch (error) {
      if (force || !(error instanceof IncusError)) throw error;
      return false;
    }
  }
}
