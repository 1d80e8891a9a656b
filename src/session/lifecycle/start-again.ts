// A container of a name that was just given out again: Incus may still be stopping what had that name before, and then
// takes the new one for running and refuses to start it, or takes the new one's mounts away as those of the old one. It is
// made by then, and only has to be started.
import { setTimeout as delay } from 'node:timers/promises';
import type { Incus } from '../../incus/client.ts';
import { changeState, findMeant } from '../record/change-instance.ts';
import type { ContainerRef } from '../record/container-ref.ts';
import { isIncusError } from './incus-failure.ts';
import { untilIdle } from './incus-operations.ts';

/** Of Incus (`lxc.Start`), which has no status of its own for them; the second stands for whatever LXC could not do. */
const refusals = ['The instance is already running', 'incusd forkstart'];
const idleSeconds = 10;
const startSeconds = 60;
const startMs = 120_000;

/** Until what had the name is gone: till then Incus tells the new one as running. */
const limitMs = 20_000;
const againMs = 200;

/** Starts again what was made and not started for such a reason; false for any other failure. */
export async function startedAgain(
  incus: Incus,
  ref: ContainerRef,
  error: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isRefusal(error)) return false;
  const endMs = performance.now() + limitMs;
  for (;;) {
    await untilIdle(incus, ref.name, idleSeconds, signal);
    const found = await findMeant(incus, ref, { signal });
    if (!found) return false;
    if (found.instance.status === 'Stopped') {
      try {
        const change = { action: 'start', timeout: startSeconds } as const;
        const start = await changeState(incus, ref, change, { signal });
        await start.wait({ signal, timeoutMs: startMs });
        return true;
      } catch (again) {
        if (!isIncusError(again)) throw again;
        // What was said first is what the caller explains.
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
