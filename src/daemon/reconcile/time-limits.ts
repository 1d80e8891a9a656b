// Ends sessions whose `[limits.runtime] max_duration` is over, whoever watches them.
import { type Incus, IncusError } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import {
  type ContainerRef,
  changeState,
  NotMeant,
  updateContainer,
} from '../../session/record/change-instance.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { Stuck } from './stuck.ts';

export interface DeadlinesParts {
  readonly incus: Incus;
  readonly log: Log;
  readonly runDir: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** For one that does not end by force. */
  readonly stuck?: Pick<Stuck, 'whileWaiting'> | undefined;
}

export interface Deadline {
  /** Of the session's mounts. */
  readonly id: string;
  readonly name: string;
  readonly atMs: number;
  readonly graceful: boolean;
}

const stopSeconds = 30;
const stopLimitMs = 60_000;
/** Between looks at the clock, which may be put back or forward. */
const lookAgainMs = 10_000;
/** After a failed end: Incus refuses one while it does something else to the instance, as coid's own mark that it lives. */
const endAgainMs = 1000;

/**
 * When each running session has to end, by the wall clock. `since` remembers when each was first seen running, so that
 * a guest which reboots wins no time. Pure.
 */
export function deadlines(
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
      // 1970 is "never started": seen for a moment while it starts.
      .filter(([, ms]) => ms > 0),
  );
  const found = running.flatMap(({ instance: { name, config, status }, id }): Deadline[] => {
    const [, ms, how] = /^(\d{1,12}) (graceful|force)$/.exec(config[keys.maxDuration] ?? '') ?? [];
    const atMs = (started.get(id) ?? Number.NaN) + Number(ms);
    if (ms === undefined || Number.isNaN(atMs)) return [];
    // What is paused could not answer.
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

  /** Called at each look with all instances. */
  follow(instances: readonly Instance[]): void {
    const next = deadlines(instances, this.#parts.runDir, this.#since);
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
    const waits = this.#deadlines.map(({ atMs }) => (atMs <= nowMs ? lookAgainMs : atMs - nowMs));
    this.#checkWithin(Math.min(lookAgainMs, ...waits));
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
      if (!graceful || !(await this.#stopped(ref, { force: false })))
        await this.#stopped(ref, { force: true });
    } catch (error) {
      // It has ended, and another one may have its name.
      if (signal.aborted || error instanceof NotMeant) return;
      log('warning', 'time-is-over-but-runs', { name, error });
      this.#checkWithin(endAgainMs);
    } finally {
      this.#ending.delete(id);
    }
  }

  /** So that whoever is attached is told why. That costs the word, if it fails, and not the end. */
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

  /** False if Incus or the guest would not. What has ended is finished as every session is. */
  async #stopped(ref: ContainerRef, { force }: { force: boolean }): Promise<boolean> {
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
