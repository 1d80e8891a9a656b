// What one look may take of a thread that others wait for. Counted in processor time of this thread: a busy machine makes
// a look longer, not more costly.

/** After that the others get a turn: what a request waits for while a long look goes on. */
const sliceMs = 8;

export type Clock = () => number;

/** Milliseconds of processor time of this thread, as fine as the kernel's clock ticks (some milliseconds). */
export const threadTime: Clock = () => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

/** Work in steps: whoever drives it lets others run at each `yield`. */
export type Steps<Result> = Generator<void, Result, void>;

export class Allowance {
  readonly #clock: Clock;
  readonly #factor: number;
  #earlierMs = 0;
  #sliceStartMs: number;

  /** `factor` stretches all parts; tests lift the limits with it. */
  constructor(clock: Clock = threadTime, factor = 1) {
    this.#clock = clock;
    this.#factor = factor;
    this.#sliceStartMs = clock();
  }

  /** So far, without what ran in between. */
  get spentMs(): number {
    return this.#earlierMs + this.#clock() - this.#sliceStartMs;
  }

  /** Says whether that many milliseconds were spent since now. */
  part(limitMs: number): () => boolean {
    const endMs = this.spentMs + limitMs * this.#factor;
    return () => this.spentMs >= endMs;
  }

  /** To be called between small pieces of work. */
  *turn(): Steps<void> {
    const nowMs = this.#clock();
    if (nowMs - this.#sliceStartMs < sliceMs) return;
    this.#earlierMs += nowMs - this.#sliceStartMs;
    yield;
    this.#sliceStartMs = this.#clock();
  }
}

/** Runs it to its end at once. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
