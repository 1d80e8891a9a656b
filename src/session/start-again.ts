// A container of a name that was just given out again: Incus may still be stopping what had that name before, and then
// takes the new one for running and refuses to start it, or takes the new one's mounts away as those of the old one. It is
// made by then, and only has to be started.
import type { Incus } from '../incus/client.ts';
import { changeState, findMeant } from './act.ts';
import { untilIdle } from './busy.ts';
import type { ContainerRef } from './container-ref.ts';
import { isIncusError } from './failure.ts';

/** Of Incus (`lxc.Start`), which has no status of its own for them; the second stands for whatever LXC could not do. */
const refusals = ['The instance is already running', 'incusd forkstart'];
const idleSeconds = 10;
const startSeconds = 60;
const startMs = 120_000;

/** Starts once more what was made and not started for such a reason; false for any other failure. */
export async function startedAgain(
  incus: Incus,
  ref: ContainerRef,
  error: unknown,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isIncusError(error) || !refusals.some((text) => error.message.includes(text))) return false;
  await untilIdle(incus, ref.name, idleSeconds, signal);
  const found = await findMeant(incus, ref, { signal });
  if (found?.instance.status !== 'Stopped') return false;
  const change = { action: 'start', timeout: startSeconds } as const;
  try {
    const start = await changeState(incus, ref, change, { signal });
    await start.wait({ signal, timeoutMs: startMs });
    return true;
  } catch (again) {
    // What was said first is what the caller explains.
    if (isIncusError(again)) return false;
    throw again;
  }
}
