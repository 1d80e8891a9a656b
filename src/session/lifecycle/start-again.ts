// Starts a new container whose name was just reused. Incus may still be stopping the previous container with that name: then
// it treats the new one as running and refuses to start it, or removes the new one's mounts as those of the old one. The
// container has been created by then, and only needs to be started.
import { setTimeout as delay } from 'node:timers/promises';
import type { Incus } from '../../incus/client.ts';
import { changeState, findByRef } from '../record/change-instance.ts';
import type { ContainerRef } from '../record/container-ref.ts';
import { isIncusError } from './incus-failure.ts';
import { waitUntilIdle } from './incus-operations.ts';

/** Error texts of Incus (`lxc.Start`), which has no status codes for them; the second covers any failure of LXC. */
const refusals = ['The instance is already running', 'incusd forkstart'];
const idleSeconds = 10;
const startSeconds = 60;
const startMs = 120_000;

/** Until the previous container is gone; before that, Incus reports the new one as running. */
const limitMs = 20_000;
const againMs = 200;

/** Starts the container if it was created but not started for such a reason; false for any other failure. */
export async function startAgain(
  incus: Incus,
  ref: ContainerRef,
  error: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isRefusal(error)) return false;
  const endMs = performance.now() + limitMs;
  for (;;) {
    await waitUntilIdle(incus, ref.name, idleSeconds, signal);
    const found = await findByRef(incus, ref, { signal });
    if (!found) return false;
    if (found.instance.status === 'Stopped') {
      try {
        const change = { action: 'start', timeout: startSeconds } as const;
        const start = await changeState(incus, ref, change, { signal });
        await start.wait({ signal, timeoutMs: startMs });
        return true;
      } catch (again) {
        if (!isIncusError(again)) throw again;
        // The caller reports the first error.
        if (!isRefusal(again)) return false;
      }
    }
    if (performance.now() > endMs) return false;
    await delay(againMs, undefined, { signal });
  }
}

function isRefusal(error: unknown): boolean {
  return isIncusError(error) && refusals.some((text) => error.message.includes(text));
}
