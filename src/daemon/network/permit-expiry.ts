// Expires permits.
import type { Permits } from './permits.ts';

/** Clocks may be changed, and Node's timers are limited to 24 days. */
const longestWaitMs = 60_000;

export interface PermitExpiryParts {
  readonly permits: Pick<Permits, 'nextEnd' | 'expire'>;
  readonly now: () => Date;
  /** Called with the name of each port with an expired permit. */
  readonly onExpired: (hostName: string) => void;
  readonly signal: AbortSignal;
}

export class PermitExpiry {
  readonly #parts: PermitExpiryParts;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: PermitExpiryParts) {
    this.#parts = parts;
    parts.signal.addEventListener('abort', () => clearTimeout(this.#timer));
  }

  /** Waits for the next expiry. Call it after each change of the permits. */
  schedule(): void {
    clearTimeout(this.#timer);
    const { permits, now, onExpired, signal } = this.#parts;
    const next = permits.nextEnd();
    if (next === undefined || signal.aborted) return;
    const leftMs = Math.max(0, next.getTime() - now().getTime());
    this.#timer = setTimeout(
      () => {
        for (const hostName of permits.expire()) onExpired(hostName);
        this.schedule();
      },
      Math.min(leftMs, longestWaitMs),
    );
  }
}
