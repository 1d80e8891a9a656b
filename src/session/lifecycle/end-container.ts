// Ends a container for good: by force, or gracefully with force at the end. The conversation is safe in the store.
// Before force the container is made ephemeral, so that Incus deletes it by itself even if nobody waits for it any more.
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import {
  type ContainerRef,
  changeState,
  deleteContainer,
  findMeant,
  NotMeant,
  updateContainer,
} from '../record/change-instance.ts';
import { sessionRecord } from '../record/instance-record.ts';
import { type Free, Freeing } from './free-stuck.ts';
import { incusFailure, isIncusError, isMissing } from './incus-failure.ts';
import { untilIdle } from './incus-operations.ts';
import { goneWithin } from './outcome.ts';

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

/** For coid to see that a container stays stopped (two looks, 5 s apart), and to delete it. */
const coidMs = 8000;

export type Removed = 'removed' | 'was-gone';

/**
 * Stops by force and deletes that container; another one that was made since under the same name, as by a `--resume`,
 * is left alone. Throws CoiError (`incus-failed`, `incus-unreachable`, ...) if it is still there then.
 */
export async function killContainer(
  incus: Incus,
  ref: ContainerRef,
  signal: AbortSignal,
  free?: Free,
): Promise<Removed> {
  const removed = await removeAs(incus, ref, signal, stopForGood, free);
  return removed === 'runs' ? 'removed' : removed;
}

/** Deletes that container only if it is stopped still when it comes to it: `runs` says that it is not. Throws as `killContainer`. */
export function deleteStopped(
  incus: Incus,
  ref: ContainerRef,
  signal: AbortSignal,
): Promise<Removed | 'runs'> {
  return removeAs(incus, ref, signal, undefined);
}

/** `stop` is for one that is not stopped; without it that one is left as it is. */
async function removeAs(
  incus: Incus,
  ref: ContainerRef,
  signal: AbortSignal,
  stop: typeof stopForGood | undefined,
  free?: Free,
): Promise<Removed | 'runs'> {
  const freeing = new Freeing(ref, free);
  let failure: unknown;
  for (let look = 0; look < looksMax; look += 1) {
    try {
      const found = await instanceOf(incus, ref, signal);
      if (!found) return look === 0 ? 'was-gone' : 'removed';
      await freeing.before(found);
      if (found.status === 'Stopped') await deleteNow(incus, ref, signal);
      else if (stop) await stop(incus, ref, signal, freeing);
      else return 'runs';
    } catch (error) {
      if (error instanceof NotMeant) return look === 0 ? 'was-gone' : 'removed';
      if (signal.aborted || !isIncusError(error) || error.errno !== undefined)
        throw incusFailure(error, `ending ${ref.name} failed`);
      failure = error;
      // A newborn shows as stopped and can be neither stopped nor deleted while Incus starts it.
      await untilIdle(incus, ref.name, forcedSeconds, signal);
    }
  }
  if (failure && (await instanceOf(incus, ref, signal)))
    throw freeing.told(incusFailure(failure, `ending ${ref.name} failed`));
  return 'removed';
}

export interface GracefulStop {
  /** Until force is used; 0 uses it at once. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** For one that force does not end. */
  readonly free?: Free | undefined;
  /** Called when it is stopped by force after all, with the reason. */
  readonly forced: (reason: 'paused' | 'timeout') => void;
}

/**
 * Lets the guest shut down, then deletes the container; by force after the limit, and at once when it is paused
 * (asking would thaw it). Interrupted while the guest still runs, it leaves the container as it was.
 */
export async function shutDownContainer(
  incus: Incus,
  ref: ContainerRef,
  stop: GracefulStop,
): Promise<Removed> {
  const { signal } = stop;
  const found = await instanceOf(incus, ref, signal).catch((error: unknown) =>
    Promise.reject(incusFailure(error, `ending ${ref.name} failed`)),
  );
  if (!found) return 'was-gone';
  const { status } = found;
  await new Freeing(ref, stop.free).before(found);
  if (status === 'Frozen') stop.forced('paused');
  else if (status !== 'Stopped') {
    try {
      if (!(await stoppedGracefully(incus, ref, stop))) stop.forced('timeout');
      else if (await deletedByCoid(incus, ref, found)) return 'removed';
    } catch (error) {
      throw incusFailure(error, `ending ${ref.name} failed`);
    }
  }
  await killContainer(incus, ref, signal, stop.free);
  return 'removed';
}

/**
 * Waits for coid, which deletes what has ended and is not kept; false where it does not, as while it is away.
 * Incus finds what it deletes by name: of two who delete one container, the later can destroy the disk of the next one.
 */
export async function deletedByCoid(
  incus: Incus,
  { name, mountsId }: ContainerRef,
  { config }: Pick<Instance, 'config'>,
): Promise<boolean> {
  if (sessionRecord(config)?.persistent !== false) return false;
  return goneWithin(incus, name, mountsId, coidMs);
}

/** The same for one that is kept: stopped, by force after the limit, and not deleted. What is gone or stopped is well. */
export async function stopContainer(
  incus: Incus,
  ref: ContainerRef,
  stop: GracefulStop,
): Promise<void> {
  const { signal } = stop;
  const freeing = new Freeing(ref, stop.free);
  try {
    const found = await instanceOf(incus, ref, signal);
    if (!found || found.status === 'Stopped') return;
    await freeing.before(found);
    if (found.status === 'Frozen') stop.forced('paused');
    else if (await stoppedGracefully(incus, ref, stop)) return;
    else stop.forced('timeout');
    const change = { action: 'stop', force: true, timeout: forcedSeconds } as const;
    const operation = await changeState(incus, ref, change, { signal });
    await freeing.while(operation.wait({ signal, timeoutMs: forcedMs }));
  } catch (error) {
    if (error instanceof NotMeant) return;
    throw freeing.told(incusFailure(error, `stopping ${ref.name} failed`));
  }
}

/** True when it is stopped; false when the time is over, or Incus will not. */
async function stoppedGracefully(
  incus: Incus,
  ref: ContainerRef,
  { timeoutMs, signal, free }: GracefulStop,
): Promise<boolean> {
  const freeing = new Freeing(ref, free);
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const leftSeconds = Math.ceil((endMs - performance.now()) / 1000);
    if (leftSeconds <= 0) return false;
    const timeout = Math.min(askAgainSeconds, leftSeconds);
    const asked = performance.now();
    try {
      const operation = await changeState(incus, ref, { action: 'stop', timeout }, { signal });
      // A guest that has shut down may wait for its last processes as one that was killed.
      await freeing.while(operation.wait({ signal, timeoutMs: timeout * 1000 + forcedMs }));
      return true;
    } catch (error) {
      if (error instanceof NotMeant) return true;
      if (signal.aborted || !isIncusError(error) || error.errno !== undefined) throw error;
      const found = await instanceOf(incus, ref, signal);
      if (!found || found.status === 'Stopped') return true;
      if (performance.now() - asked < (timeout * 1000) / 2) return false;
    }
  }
}

async function instanceOf(
  incus: Incus,
  ref: ContainerRef,
  signal: AbortSignal,
): Promise<Instance | undefined> {
  return (await findMeant(incus, ref, { signal }))?.instance;
}

async function stopForGood(
  incus: Incus,
  ref: ContainerRef,
  signal: AbortSignal,
  freeing: Freeing,
): Promise<void> {
  await makeEphemeral(incus, ref, signal);
  const change = { action: 'stop', force: true, timeout: forcedSeconds } as const;
  const operation = await changeState(incus, ref, change, { signal });
  // An ephemeral one is deleted before the operation is done.
  await freeing.while(operation.wait({ signal, timeoutMs: forcedMs }));
}

async function deleteNow(incus: Incus, ref: ContainerRef, signal: AbortSignal): Promise<void> {
  const operation = await deleteContainer(incus, ref, { signal });
  await operation.wait({ signal, timeoutMs: forcedMs });
}

/** Where a mount's source is gone no instance can be changed; then it is stopped first and deleted after. */
async function makeEphemeral(incus: Incus, ref: ContainerRef, signal: AbortSignal): Promise<void> {
  try {
    await updateContainer(incus, ref, { ephemeral: true }, { signal });
  } catch (error) {
    if (!isIncusError(error) || error.errno !== undefined || isMissing(error)) throw error;
  }
}
