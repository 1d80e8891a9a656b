// The CPU time that one scan may use on a shared thread. It counts CPU time, not wall time: on a busy machine a scan takes
// longer but costs no more.

/** Yields after this time, which is how long a request may have to wait during a long scan. */
const sliceMs = 8;

export type Clock = () => number;

/** CPU time of this thread in milliseconds, with the resolution of the kernel's clock ticks (some milliseconds). */
export const threadTime: Clock = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** Work in steps: its driver lets other work run at each `yield`. */
export type Steps<Result> = Generator<void, Result, void>;

export class Allowance {
  readonly #clock: Clock;
  readonly #factor: number;
  #earlierMs = 0;
  #sliceStartMs: number;

  /** `factor` multiplies all limits; tests use it to lift them. */
  constructor(clock: Clock = threadTime, factor = 1) {
    this.#clock = clock;
    this.#factor = factor;
    this.#sliceStartMs = clock();
  }

  /** CPU time used so far, without other work in between. */
  get spentMs(): number {
    return this.#earlierMs + this.#clock() - this.#sliceStartMs;
  }

  /** Returns a check whether that many milliseconds have been used since this call. */
  startLimit(limitMs: number): () => boolean {
    const endMs = this.spentMs + limitMs * this.#factor;
    return () => this.spentMs >= endMs;
  }

  /** Call this between small pieces of work. */
  *yieldIfDue(): Steps<void> {
    const nowMs = this.#clock();
    if (nowMs - this.#sliceStartMs < sliceMs) return;
    this.#earlierMs += nowMs - this.#sliceStartMs;
    yield;
    this.#sliceStartMs = this.#clock();
  }
}

/** Runs all steps without yielding. */
export function runToEnd<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
