// Limits how often something happens, by key. Pure.

export interface BucketOptions {
  /** How often at once. */
  readonly burst: number;
  /** The time until one more is allowed. */
  readonly refillMs: number;
}

/** `nowMs` comes from a clock that never goes back. */
export class TokenBuckets {
  readonly #options: BucketOptions;
  readonly #buckets = new Map<string, { readonly tokens: number; readonly atMs: number }>();

  constructor(options: BucketOptions) {
    this.#options = options;
  }

  /** False if it happened too often. */
  take(key: string, nowMs: number): boolean {
    const tokens = this.#tokens(key, nowMs);
    this.#buckets.set(key, { tokens: tokens < 1 ? tokens : tokens - 1, atMs: nowMs });
    return tokens >= 1;
  }

  forget(key: string): void {
    this.#buckets.delete(key);
  }

  #tokens(key: string, nowMs: number): number {
    const { burst, refillMs } = this.#options;
    const { tokens, atMs } = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs };
    return Math.min(burst, tokens + (nowMs - atMs) / refillMs);
  }
}
