// An event subscription that reconnects after a loss.
import { setTimeout as delay } from 'node:timers/promises';
import type { EventStream, Incus } from './client.ts';
import type { IncusEvent } from './shapes.ts';

const firstDelayMs = 100;
const maxDelayMs = 5_000;

export type SubscriptionEvent =
  /** Subscribed: earlier events were not seen, so compare with the current state. */
  | { readonly kind: 'connected' }
  | { readonly kind: 'event'; readonly event: IncusEvent }
  /** The connection failed or was lost; the next attempt follows after `retryMs`. */
  | { readonly kind: 'lost'; readonly error: unknown; readonly retryMs: number };

export interface SubscribeOptions {
  readonly signal: AbortSignal;
  /** Waits before the next attempt; for tests. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<unknown>;
}

/** Subscribes, and again after each loss, with delays that double from 0.1 s to 5 s. Ends when the signal is aborted. */
export async function* subscribeEvents(
  incus: Pick<Incus, 'events'>,
  types: readonly ('lifecycle' | 'operation')[],
  { signal, wait = (ms, until) => delay(ms, undefined, { signal: until }) }: SubscribeOptions,
): AsyncGenerator<SubscriptionEvent, void> {
  let retryMs = firstDelayMs;
  while (!signal.aborted) {
    const stream = incus.events(types, { signal });
    let lost: unknown;
    try {
      await stream.ready;
      retryMs = firstDelayMs;
      yield { kind: 'connected' };
      yield* toEvents(stream);
      lost = new Error('the event connection ended');
    } catch (error) {
      lost = error;
    } finally {
      stream.close();
    }
    if (signal.aborted) return;
    yield { kind: 'lost', error: lost, retryMs };
    // Only an abort ends the wait early; the loop checks for it.
    await wait(retryMs, signal).catch(() => undefined);
    retryMs = Math.min(retryMs * 2, maxDelayMs);
  }
}

async function* toEvents(stream: EventStream): AsyncGenerator<SubscriptionEvent, void> {
  for await (const event of stream) yield { kind: 'event', event };
}
