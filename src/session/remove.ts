// Ends a container for good: by force, or gracefully with force at the end. The conversation is safe in the store.
// Before force the container is made ephemeral, so that Incus deletes it by itself even if nobody waits for it any more.
import type { Incus } from '../incus/client.ts';
import type { Instance } from '../incus/shapes.ts';
import { untilIdle } from './busy.ts';
import { incusFailure, isIncusError, isMissing } from './failure.ts';
import { sessionRecord } from './record.ts';

/** Killing takes a second; with a loaded machine and a broken mount it was seen to take some. */
const forcedSeconds = 30;
const forcedMs = 60_000;
/** Each look decides anew, since a newborn shows as stopped and others may be ending it too. */
const looksMax = 4;
/**
 * A guest that has just started does not hear the signal yet, and Incus sends it only once for each stop
 * (test/incus/list-and-end.test.ts), so a graceful stop is asked for again after this time.
 */
const askAgainSeconds = 5;

export type Removed = 'removed' | 'was-gone';

/**
 * Stops by force and deletes. With a `reservation` only that container is meant: one that was made since under the same
 * name, as by a `--resume`, counts as gone. Throws CoiError (`incus-failed`, `incus-unreachable`, ...) if it is still there then.
 */
export async function killContainer(
  incus: Incus,
  name: string,
  signal: AbortSignal,
  reservation?: string,
): Promise<Removed> {
  let failure: unknown;
  for (let look = 0; look < looksMax; look += 1) {
    try {
      const found = await meant(incus, name, signal, reservation);
      if (!found) return look === 0 ? 'was-gone' : 'removed';
      if (found.status === 'Stopped') await deleteStopped(incus, name, signal);
      else await stopForGood(incus, name, signal);
    } catch (error) {
      if (signal.aborted || !isIncusError(error) || error.errno !== undefined)
        throw incusFailure(error, `ending ${name} failed`);
      failure = error;
      // A newborn shows as stopped and can be neither stopped nor deleted while Incus starts it.
      await untilIdle(incus, name, forcedSeconds, signal);
    }
  }
  if (failure && (await meant(incus, name, signal, reservation)))
    throw incusFailure(failure, `ending ${name} failed`);
  return 'removed';
}

export interface GracefulStop {
  /** Until force is used; 0 uses it at once. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Called when it is stopped by force after all, with the reason. */
  readonly forced: (reason: 'paused' | 'timeout') => void;
  /** As for `killContainer`. */
  readonly reservation?: string | undefined;
}

/**
 * Lets the guest shut down, then deletes the container; by force after the limit, and at once when it is paused
 * (asking would thaw it). Interrupted while the guest still runs, it leaves the container as it was.
 */
export async function shutDownContainer(
  incus: Incus,
  name: string,
  stop: GracefulStop,
): Promise<Removed> {
  const { signal, reservation } = stop;
  const found = await meant(incus, name, signal, reservation).catch((error: unknown) =>
    Promise.reject(incusFailure(error, `ending ${name} failed`)),
  );
  if (!found) return 'was-gone';
  const { status } = found;
  if (status === 'Frozen') stop.forced('paused');
  else if (status !== 'Stopped') {
    try {
      if (!(await stoppedGracefully(incus, name, stop))) stop.forced('timeout');
    } catch (error) {
      throw incusFailure(error, `ending ${name} failed`);
    }
  }
  await killContainer(incus, name, signal, reservation);
  return 'removed';
}

/** The same for one that is kept: stopped, by force after the limit, and not deleted. What is gone or stopped is well. */
export async function stopContainer(incus: Incus, name: string, stop: GracefulStop): Promise<void> {
  const { signal, reservation } = stop;
  try {
    const found = await meant(incus, name, signal, reservation);
    if (!found || found.status === 'Stopped') return;
    if (found.status === 'Frozen') stop.forced('paused');
    else if (await stoppedGracefully(incus, name, stop)) return;
    else stop.forced('timeout');
    const change = { action: 'stop', force: true, timeout: forcedSeconds } as const;
    const operation = await incus.changeState(name, change, { signal });
    await operation.wait({ signal, timeoutMs: forcedMs });
  } catch (error) {
    throw incusFailure(error, `stopping ${name} failed`);
  }
}

/** True when it is stopped; false when the time is over, or Incus will not. */
async function stoppedGracefully(
  incus: Incus,
  name: string,
  { timeoutMs, signal, reservation }: GracefulStop,
): Promise<boolean> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const leftSeconds = Math.ceil((endMs - performance.now()) / 1000);
    if (leftSeconds <= 0) return false;
    const timeout = Math.min(askAgainSeconds, leftSeconds);
    const asked = performance.now();
    try {
      const operation = await incus.changeState(name, { action: 'stop', timeout }, { signal });
      await operation.wait({ signal, timeoutMs: timeout * 1000 + forcedMs });
      return true;
    } catch (error) {
      if (signal.aborted || !isIncusError(error) || error.errno !== undefined) throw error;
      const found = await meant(incus, name, signal, reservation);
      if (!found || found.status === 'Stopped') return true;
      if (performance.now() - asked < (timeout * 1000) / 2) return false;
    }
  }
}

async function meant(
  incus: Incus,
  name: string,
  signal: AbortSignal,
  reservation: string | undefined,
): Promise<Instance | undefined> {
  const instance = (await incus.instance(name, { signal }))?.instance;
  if (!instance || reservation === undefined) return instance;
  return sessionRecord(instance.config)?.mounts.id === reservation ? instance : undefined;
}

async function stopForGood(incus: Incus, name: string, signal: AbortSignal): Promise<void> {
  await makeEphemeral(incus, name, signal);
  const change = { action: 'stop', force: true, timeout: forcedSeconds } as const;
  const operation = await incus.changeState(name, change, { signal });
  // An ephemeral one is deleted before the operation is done.
  await operation.wait({ signal, timeoutMs: forcedMs });
}

async function deleteStopped(incus: Incus, name: string, signal: AbortSignal): Promise<void> {
  const operation = await incus.deleteInstance(name, { signal });
  await operation.wait({ signal, timeoutMs: forcedMs });
}

/** Where a mount's source is gone no instance can be changed; then it is stopped first and deleted after. */
async function makeEphemeral(incus: Incus, name: string, signal: AbortSignal): Promise<void> {
  try {
    await incus.updateInstance(name, { ephemeral: true }, { signal });
  } catch (error) {
    if (!isIncusError(error) || error.errno !== undefined || isMissing(error)) throw error;
  }
}
