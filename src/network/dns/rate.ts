// How many questions a session may ask: so many at once, then so many a second. Pure but for what it counts.

export class Bucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #atMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
    this.#atMs = nowMs;
  }

  /** Takes one, or says that there is none left. Times are monotonic milliseconds. */
  take(nowMs: number): boolean {
    this.#left = Math.min(
      this.#burst,
      this.#left + ((nowMs - this.#atMs) / 1000) * this.#perSecond,
    );
    this.#atMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
