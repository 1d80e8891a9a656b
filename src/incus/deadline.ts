// Combines a time limit with the caller's signal, so that every wait has both.
import type { CallOptions } from './client.ts';

/**
 * Runs `work` with a signal that is aborted by the caller's signal (with its reason) or after `limitMs`
 * (with `expired()` as the reason). After an abort the reason is thrown, whatever error it caused inside.
 */
export async function withDeadline<T>(
  options: CallOptions,
  limitMs: number,
  expired: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const outer = options.signal;
  outer?.throwIfAborted();
  const controller = new AbortController();
  const forward = () => controller.abort(outer?.reason);
  const timer = setTimeout(() => controller.abort(expired()), limitMs);
  outer?.addEventListener('abort', forward, { once: true });
  try {
    return await work(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', forward);
  }
}
