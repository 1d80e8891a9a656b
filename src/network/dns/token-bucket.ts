// A token bucket that limits the queries of a session. Pure except for its counter.

export class TokenBucket {
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

  /** Takes a token; false if there is none. Times are monotonic milliseconds. */
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
