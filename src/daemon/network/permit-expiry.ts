// Tells when permits are over.
import type { Permits } from './permits.ts';

/** Clocks are set, and timers of Node cannot wait for longer than 24 days. */
const longestWaitMs = 60_000;

export interface PermitExpiryParts {
  readonly permits: Pick<Permits, 'nextEnd' | 'expire'>;
  readonly now: () => Date;
  /** Called with the name of each port of which a permit is over. */
  readonly over: (hostName: string) => void;
  readonly signal: AbortSignal;
}

export class PermitExpiry {
  readonly #parts: PermitExpiryParts;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: PermitExpiryParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  /** Waits for the end of the permit that ends first. Call it after each change of the permits. */
  follow(): void {
    clearTimeout(this.#timer);
    const { permits, now, over, signal } = this.#parts;
    const next = permits.nextEnd();
    if (next === undefined || signal.aborted) return;
    const leftMs = Math.max(0, next.getTime() - now().getTime());
    this.#timer = setTimeout(
      () => {
        for (const hostName of permits.expire()) over(hostName);
        this.follow();
      },
      Math.min(leftMs, longestWaitMs),
    );
  }
}
