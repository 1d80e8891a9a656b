// Locks that are held while other work goes on: one holder at a time, across processes and within this one.
import { setTimeout as delay } from 'node:timers/promises';
import type { Libc } from '../linux/libc.ts';
import { takeLock } from './process-lock.ts';

/** The polling interval. */
const againMs = 20;
/** The end of the last holder of this process, by path: the kernel's lock does not exclude work of the same process. */
const holders = new Map<string, Promise<void>>();

/**
 * Runs `work` while it holds the lock on that file, which is created and kept. The lock ends with the process, however it
 * ends. Rejects with the reason of `limit` if others hold it until then.
 */
export async function whileLocked<T>(
  libc: Libc,
  path: string,
  limit: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const before = holders.get(path);
  const mine = Promise.withResolvers<void>();
  const own = (before ?? Promise.resolve()).then(() => mine.promise);
  holders.set(path, own);
  try {
    await untilDone(before, limit);
    const release = await acquire(libc, path, limit);
    try {
      return await work();
    } finally {
      release();
    }
  } finally {
    mine.resolve();
    if (holders.get(path) === own) holders.delete(path);
  }
}

async function acquire(libc: Libc, path: string, limit: AbortSignal): Promise<() => void> {
  for (;;) {
    limit.throwIfAborted();
    const taken = takeLock(libc, path);
    if (taken.kind === 'taken') return taken.release;
    await delay(againMs, undefined, { signal: limit }).catch(() => undefined);
  }
}

async function untilDone(work: Promise<void> | undefined, limit: AbortSignal): Promise<void> {
  limit.throwIfAborted();
  if (!work) return;
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(limit.reason);
  limit.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    limit.removeEventListener('abort', abort);
  }
}
