// Schedules the sampling of watched containers. A sample runs in small steps with requests in between, and is followed by
// a pause of the same length, so that sampling never takes more than half of coid's thread. Cheap samples go first: an
// expensive container does not delay the others.
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { Allowance, type Steps } from '../../host/proc/allowance.ts';

export interface ScheduledWatch {
  readonly pollMs: number;
  /** The watch has ended. */
  readonly ended: boolean;
  /** Takes one sample. Never throws. */
  tick(allowance: Allowance): Steps<void>;
}

export interface WatchSchedulerParts {
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
  /** Called after each round. */
  readonly after: () => void;
}

interface Due {
  readonly atMs: number;
  /** Cost of the last sample. */
  readonly costMs: number;
}

/** A sample this cheap needs no pause. */
const freeMs = 4;
/** Minimum delay until a container's next sample, as a multiple of the cost. */
const restFactor = 4;
/** A container waits for cheaper ones at most this multiple of its cost. */
const waitFactor = 40;
/** Assumed cost of the first sample. */
const firstCostMs = 20;
/** Samples due within this time run in the same round. */
const togetherMs = 5;

export class WatchScheduler {
  readonly #parts: WatchSchedulerParts;
  readonly #due = new Map<ScheduledWatch, Due>();
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  constructor(parts: WatchSchedulerParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  add(looking: ScheduledWatch): void {
    this.#schedule(looking, firstCostMs);
    this.#arm();
  }

  /** Also cancels a sample in progress. */
  forget(looking: ScheduledWatch): void {
    this.#due.delete(looking);
  }

  /** Aligns due times, so that coid wakes up rarely. */
  #schedule(looking: ScheduledWatch, costMs: number): void {
    const { pollMs } = looking;
    const nowMs = this.#parts.elapsedMs();
    const atMs = Math.max((Math.floor(nowMs / pollMs) + 1) * pollMs, nowMs + restFactor * costMs);
    this.#due.set(looking, { atMs, costMs });
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#due.size === 0 || this.#parts.signal.aborted || this.#running) return;
    const next = Math.min(...[...this.#due.values()].map(({ atMs }) => atMs));
    const inMs = Math.max(10, next - this.#parts.elapsedMs());
    this.#timer = setTimeout(() => void this.#round(), inMs).unref();
  }

  async #round(): Promise<void> {
    const { signal, after } = this.#parts;
    this.#running = true;
    for (let next = this.#next(); next && !signal.aborted; next = this.#next()) {
      const looking = next;
      const allowance = new Allowance();
      await runSteps(looking.tick(allowance), () => this.#due.has(looking) && !signal.aborted);
      const costMs = allowance.spentMs;
      if (looking.ended) this.#due.delete(looking);
      else if (this.#due.has(looking)) this.#schedule(looking, costMs);
      await (costMs > freeMs ? delay(costMs) : nextTurn());
    }
    after();
    this.#running = false;
    this.#arm();
  }

  #next(): ScheduledWatch | undefined {
    const nowMs = this.#parts.elapsedMs() + togetherMs;
    return [...this.#due]
      .filter(([, { atMs }]) => atMs <= nowMs)
      .sort(([, one], [, other]) => rankOf(one) - rankOf(other))[0]?.[0];
  }
}

/** Expensive containers let cheap ones go first, but only for seconds. */
function rankOf({ atMs, costMs }: Due): number {
  return atMs + waitFactor * costMs;
}

/** Runs the steps with other work in between. Undefined if cancelled by `isWanted`. */
export async function runSteps<Result>(
  steps: Steps<Result>,
  isWanted: () => boolean = () => true,
): Promise<Result | undefined> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    await nextTurn();
    if (isWanted()) continue;
    steps.return(undefined as Result);
    return undefined;
  }
}
