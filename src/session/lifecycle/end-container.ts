// Stops and deletes a container: by force, or gracefully with a timeout. The conversation is safe in the store.
// Before a forced stop the container becomes ephemeral, so that Incus deletes it even if coi is interrupted.
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import {
  type ContainerRef,
  changeState,
  deleteContainer,
  findByRef,
  StaleContainerRef,
  updateContainer,
} from '../record/change-instance.ts';
import { sessionRecord } from '../record/instance-record.ts';
import { type FreeStuck, StuckRelease } from './free-stuck.ts';
import { incusFailure, isIncusError, isMissing } from './incus-failure.ts';
import { waitUntilIdle } from './incus-operations.ts';
import { waitUntilGone } from './outcome.ts';

/** Killing usually takes a second; on a loaded machine with a broken mount it took several. */
const forcedSeconds = 30;
const forcedMs = 60_000;
/** Each attempt checks the state again, because a new container shows as stopped and others may be stopping it too. */
const attemptsMax = 4;
/**
 * A guest that has just started ignores the signal, and Incus sends it only once per stop
 * (test/incus/list-and-end.test.ts), so a graceful stop is repeated after this time.
 */
const askAgainSeconds = 5;

/** Time for coid to notice that a container stays stopped (two checks, 5 s apart) and to delete it. */
const coidMs = 8000;

export type RemoveResult = 'removed' | 'was-gone';

/**
 * Stops by force and deletes that container; a newer container with the same name, for example from `--resume`, is not
 * touched. Throws CoiError (`incus-failed`, `incus-unreachable`, ...) if it still exists afterwards.
 */
export async function killContainer(
  incus: Incus,
  ref: ContainerRef,
  signal: AbortSignal,
  free?: FreeStuck,
): Promise<RemoveResult> {
  const removed = await remove(incus, ref, signal, stopForGood, free);
  return removed === 'runs' ? 'removed' : removed;
}

/** Deletes that container only if it is still stopped; otherwise returns `runs`. Throws like `killContainer`. */
export function deleteStopped(
  incus: Incus,
  ref: ContainerRef,
  signal: AbortSignal,
): Promise<RemoveResult | 'runs'> {
  return remove(incus, ref, signal, undefined);
}

/** Without `stop`, a container that is not stopped is left unchanged. */
async function remove(
  incus: Incus,
  ref: ContainerRef,
  signal: AbortSignal,
  stop: typeof stopForGood | undefined,
  free?: FreeStuck,
): Promise<RemoveResult | 'runs'> {
  const release = new StuckRelease(ref, free);
  let failure: unknown;
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    try {
      const found = await instanceOf(incus, ref, signal);
      if (!found) return attempt === 0 ? 'was-gone' : 'removed';
      await release.prepare(found);
      if (found.status === 'Stopped') await deleteNow(incus, ref, signal);
      else if (stop) await stop(incus, ref, signal, release);
      else return 'runs';
    } catch (error) {
      if (error instanceof StaleContainerRef) return attempt === 0 ? 'was-gone' : 'removed';
      if (signal.aborted || !isIncusError(error) || error.errno !== undefined)
        throw incusFailure(error, `ending ${ref.name} failed`);
      failure = error;
      // A new container shows as stopped, and can be neither stopped nor deleted while Incus starts it.
      await waitUntilIdle(incus, ref.name, forcedSeconds, signal);
    }
  }
  if (failure && (await instanceOf(incus, ref, signal)))
    throw release.explain(incusFailure(failure, `ending ${ref.name} failed`));
  return 'removed';
}

export interface GracefulStop {
  /** Time before force is used; 0 uses it at once. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Used if force does not stop the container. */
  readonly free?: FreeStuck | undefined;
  /** Called with the reason when force is used. */
  readonly forced: (reason: 'paused' | 'timeout') => void;
}

/**
 * Shuts the guest down, then deletes the container. Uses force after the timeout, and at once if the container is paused
 * (a graceful stop would resume it). If interrupted while the guest runs, the container is unchanged.
 */
export async function shutDownContainer(
  incus: Incus,
  ref: ContainerRef,
  stop: GracefulStop,
): Promise<RemoveResult> {
  const { signal } = stop;
  const found = await instanceOf(incus, ref, signal).catch((error: unknown) =>
    Promise.reject(incusFailure(error, `ending ${ref.name} failed`)),
  );
  if (!found) return 'was-gone';
  const { status } = found;
  await new StuckRelease(ref, stop.free).prepare(found);
  if (status === 'Frozen') stop.forced('paused');
  else if (status !== 'Stopped') {
    try {
      if (!(await stopGracefully(incus, ref, stop))) stop.forced('timeout');
      else if (await waitForCoidDelete(incus, ref, found)) return 'removed';
    } catch (error) {
      throw incusFailure(error, `ending ${ref.name} failed`);
    }
  }
  await killContainer(incus, ref, signal, stop.free);
  return 'removed';
}

/**
 * Waits for coid, which deletes ephemeral containers that have stopped; false if it does not, for example if it is down.
 * Incus deletes by name: if two processes delete the same container, the second can destroy the disk of the next one.
 */
export async function waitForCoidDelete(
  incus: Incus,
  { name, mountsId }: ContainerRef,
  { config }: Pick<Instance, 'config'>,
): Promise<boolean> {
  if (sessionRecord(config)?.persistent !== false) return false;
  return waitUntilGone(incus, name, mountsId, coidMs);
}

/** Stops a persistent container, by force after the timeout, without deleting it. Does nothing if it is gone or stopped. */
export async function stopContainer(
  incus: Incus,
  ref: ContainerRef,
  stop: GracefulStop,
): Promise<void> {
  const { signal } = stop;
  const release = new StuckRelease(ref, stop.free);
  try {
    const found = await instanceOf(incus, ref, signal);
    if (!found || found.status === 'Stopped') return;
    await release.prepare(found);
    if (found.status === 'Frozen') stop.forced('paused');
    else if (await stopGracefully(incus, ref, stop)) return;
    else stop.forced('timeout');
    const change = { action: 'stop', force: true, timeout: forcedSeconds } as const;
    const operation = await changeState(incus, ref, change, { signal });
    await release.watch(operation.wait({ signal, timeoutMs: forcedMs }));
  } catch (error) {
    if (error instanceof StaleContainerRef) return;
    throw release.explain(incusFailure(error, `stopping ${ref.name} failed`));
  }
}

/** True if it stopped; false on timeout, or if Incus refuses. */
async function stopGracefully(
  incus: Incus,
  ref: ContainerRef,
  { timeoutMs, signal, free }: GracefulStop,
): Promise<boolean> {
  const release = new StuckRelease(ref, free);
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const leftSeconds = Math.ceil((endMs - performance.now()) / 1000);
    if (leftSeconds <= 0) return false;
    const timeout = Math.min(askAgainSeconds, leftSeconds);
    const asked = performance.now();
    try {
      const operation = await changeState(incus, ref, { action: 'stop', timeout }, { signal });
      // A guest that has shut down may wait for its last processes, like a killed one.
      await release.watch(operation.wait({ signal, timeoutMs: timeout * 1000 + forcedMs }));
      return true;
    } catch (error) {
      if (error instanceof StaleContainerRef) return true;
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
  return (await findByRef(incus, ref, { signal }))?.instance;
}

async function stopForGood(
  incus: Incus,
  ref: ContainerRef,
  signal: AbortSignal,
  release: StuckRelease,
): Promise<void> {
  await makeEphemeral(incus, ref, signal);
  const change = { action: 'stop', force: true, timeout: forcedSeconds } as const;
  const operation = await changeState(incus, ref, change, { signal });
  // Incus deletes an ephemeral container before the operation ends.
  await release.watch(operation.wait({ signal, timeoutMs: forcedMs }));
}

async function deleteNow(incus: Incus, ref: ContainerRef, signal: AbortSignal): Promise<void> {
  const operation = await deleteContainer(incus, ref, { signal });
  await operation.wait({ signal, timeoutMs: forcedMs });
}

/** If a mount's source is gone, Incus refuses changes; then the container is stopped first and deleted afterwards. */
async function makeEphemeral(incus: Incus, ref: ContainerRef, signal: AbortSignal): Promise<void> {
  try {
    await updateContainer(incus, ref, { ephemeral: true }, { signal });
  } catch (error) {
    if (!isIncusError(error) || error.errno !== undefined || isMissing(error)) throw error;
  }
}
