// When to check a workspace again.

/** Delay after an event: the host's git writes several files in a row. */
const eventMs = 5;
/** Interval without events: the kernel drops events that come too fast. */
const idleMs = 30_000;
/** A check is followed by a pause this many times as long, so that events in a loop do not keep coid busy. */
const restFactor = 4;

export class CheckSchedule {
  readonly #elapsedMs: () => number;
  readonly #check: () => Promise<number | undefined>;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Number.POSITIVE_INFINITY;
  #restUntilMs = 0;
  #isChecking = false;
  /** Delay requested during a check. */
  #askedMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  /** `check` returns the delay in milliseconds until the next check. */
  constructor(elapsedMs: () => number, check: () => Promise<number | undefined>) {
    this.#elapsedMs = elapsedMs;
    this.#check = check;
  }

  /** Checks within `delayMs`, or after the pause if that is later. */
  soon(delayMs = eventMs): void {
    if (this.#isClosed) return;
    if (this.#isChecking) {
      this.#askedMs = Math.min(this.#askedMs, delayMs);
      return;
    }
    const nowMs = this.#elapsedMs();
    const atMs = Math.max(nowMs + delayMs, this.#restUntilMs);
    if (atMs >= this.#atMs) return;
    clearTimeout(this.#timer);
    this.#atMs = atMs;
    this.#timer = setTimeout(() => void this.#due(), atMs - nowMs).unref();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #due(): Promise<void> {
    const startedMs = this.#elapsedMs();
    this.#atMs = Number.POSITIVE_INFINITY;
    this.#askedMs = Number.POSITIVE_INFINITY;
    this.#isChecking = true;
    const againMs = (await this.#check()) ?? idleMs;
    this.#isChecking = false;
    const endedMs = this.#elapsedMs();
    this.#restUntilMs = endedMs + restFactor * (endedMs - startedMs);
    this.soon(Math.min(againMs, idleMs, this.#askedMs));
  }
}
