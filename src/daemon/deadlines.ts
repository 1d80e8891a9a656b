// Ends sessions whose time is over (`[limits.runtime] max_duration`): counted from the start of the container, also when coid was away.
import type { Incus } from '../incus/client.ts';
import type { Instance } from '../incus/shapes.ts';
import { sessionRecord } from '../session/record.ts';
import type { Log } from './log.ts';

export interface Deadline {
  readonly name: string;
  /** Wall clock. */
  readonly atMs: number;
  /** Ask it to stop before it is forced. */
  readonly graceful: boolean;
}

export interface DeadlinesParts {
  readonly incus: Incus;
  readonly runDir: string;
  readonly now: () => Date;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** `<milliseconds> graceful` or `<milliseconds> force`. */
export const maxDurationKey = 'user.coi.max_duration';
const gracefulSeconds = 60;
const stopLimitMs = 120_000;
const retryMs = 1000;
/** Timers of Node end at 24 days; nobody minds an early look. */
const timerMaxMs = 86_400_000;

/** Of the sessions of this coid that are not stopped. */
export function deadlines(instances: readonly Instance[], runDir: string): Deadline[] {
  return instances.flatMap(({ name, status, config, last_used_at }): Deadline[] => {
    const [, ms, how] = /^(\d{1,15}) (graceful|force)$/.exec(config[maxDurationKey] ?? '') ?? [];
    const startedMs = Date.parse(last_used_at);
    if (ms === undefined || status === 'Stopped' || sessionRecord(config)?.mounts.runDir !== runDir)
      return [];
    // Never started (1970) is only seen for a moment while it starts.
    if (!(startedMs > 0)) return [];
    return [
      { name, atMs: startedMs + Number(ms), graceful: how === 'graceful' && status !== 'Frozen' },
    ];
  });
}

export class Deadlines {
  readonly #parts: DeadlinesParts;
  #timer: NodeJS.Timeout | undefined;
  #known: readonly Deadline[] = [];
  readonly #ending = new Set<string>();

  constructor(parts: DeadlinesParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  /** Takes the instances as they are now. */
  follow(instances: readonly Instance[]): void {
    this.#known = deadlines(instances, this.#parts.runDir);
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    const { now, signal } = this.#parts;
    const open = this.#known.filter(({ name }) => !this.#ending.has(name));
    if (open.length === 0 || signal.aborted) return;
    const leftMs = Math.min(...open.map(({ atMs }) => atMs)) - now().getTime();
    this.#timer = setTimeout(() => this.#endDue(), Math.min(Math.max(0, leftMs), timerMaxMs));
  }

  #endDue(): void {
    const nowMs = this.#parts.now().getTime();
    for (const due of this.#known) {
      if (due.atMs <= nowMs && !this.#ending.has(due.name)) void this.#end(due);
    }
    this.#wait();
  }

  async #end({ name, graceful }: Deadline): Promise<void> {
    const { incus, log, signal } = this.#parts;
    this.#ending.add(name);
    log('info', 'time-over', { name, graceful });
    const stop = async (force: boolean) => {
      const operation = await incus.changeState(
        name,
        { action: 'stop', force, timeout: gracefulSeconds },
        { signal },
      );
      await operation.wait({ signal, timeoutMs: stopLimitMs });
    };
    try {
      await (graceful ? stop(false).catch(() => stop(true)) : stop(true));
    } catch (error) {
      // It may be gone, or busy: the next look tells.
      if (!signal.aborted) log('warning', 'time-over-not-ended', { name, error: String(error) });
      setTimeout(() => this.#again(name), retryMs).unref();
      return;
    }
    this.#again(name);
  }

  #again(name: string): void {
    this.#ending.delete(name);
    this.#known = this.#known.filter((known) => known.name !== name);
    this.#wait();
  }
}
