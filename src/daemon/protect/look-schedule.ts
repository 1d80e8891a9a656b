// When a workspace is looked at again.

/** After an event: the host's git writes several files in a row. */
const eventMs = 5;
/** Without any: where events come faster than they are read, the kernel drops some. */
const idleMs = 30_000;
/** A look is followed by a rest that many times as long, so that whoever makes events in a loop does not keep coid busy. */
const restFactor = 4;

export class LookSchedule {
  readonly #elapsedMs: () => number;
  readonly #look: () => Promise<number | undefined>;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Number.POSITIVE_INFINITY;
  #restUntilMs = 0;
  #isLooking = false;
  /** When to look again, asked for while a look was under way. */
  #askedMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  /** `look` says in how many milliseconds it wants to look again. */
  constructor(elapsedMs: () => number, look: () => Promise<number | undefined>) {
    this.#elapsedMs = elapsedMs;
    this.#look = look;
  }

  /** Looks after that time at the latest, but for the rest. */
  soon(delayMs = eventMs): void {
    if (this.#isClosed) return;
    if (this.#isLooking) {
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
    this.#isLooking = true;
    const againMs = (await this.#look()) ?? idleMs;
    this.#isLooking = false;
    const endedMs = this.#elapsedMs();
    this.#restUntilMs = endedMs + restFactor * (endedMs - startedMs);
    this.soon(Math.min(againMs, idleMs, this.#askedMs));
  }
}
