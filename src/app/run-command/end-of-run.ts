// Cleans up after a run. A failure does not change the command's exit status, but is reported.
import { setTimeout as delay } from 'node:timers/promises';
import { CoiError } from '../../errors.ts';
import { cgroupsByName } from '../../host/proc/cgroups.ts';
import { killContainer } from '../../session/lifecycle/end-container.ts';
import { StuckRelease } from '../../session/lifecycle/free-stuck.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { changeState, findByRef, StaleContainerRef } from '../../session/record/change-instance.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import type { AppContext } from '../context.ts';
import { freeWithCoid } from '../end-sessions/free-stuck.ts';
import { stopPersistent } from './stop-persistent.ts';

/** Timeout for Incus for a forced stop. */
const forcedSeconds = 30;
/** An end takes less than a second, or six if coid has to free the container. */
const endMs = 30_000;
const killMs = 90_000;
const lookMs = 10;

/** `persistent`: stops it. `disposable`: stops it, and Incus deletes it. `other`: kills it. */
export async function endOfRun(
  app: AppContext,
  ref: ContainerRef,
  kind: 'persistent' | 'disposable' | 'other',
): Promise<void> {
  try {
    if (kind === 'persistent') await stopPersistent(app, ref);
    else if (kind === 'disposable') await stopDisposable(app, ref);
    else
      await killContainer(await app.incus(), ref, AbortSignal.timeout(killMs), freeWithCoid(app));
  } catch (error) {
    const { message } = error as Error;
    app.report.warn(`${message}; it still exists: run \`coi kill ${ref.name}\` to try again`);
  }
}

/**
 * Waits until none of its processes is left. It does not wait for Incus to delete it, which is certain then and takes as
 * long as a short command, unless its processes cannot be observed.
 */
async function stopDisposable(app: AppContext, ref: ContainerRef): Promise<void> {
  const incus = await app.incus();
  const free = new StuckRelease(ref, freeWithCoid(app));
  // After an interrupt of the command this still waits: only another interrupt ends it.
  const limit = AbortSignal.timeout(endMs);
  const signal = app.signal.aborted ? limit : AbortSignal.any([limit, app.signal]);
  const observable = cgroupsByName(ref.name) !== undefined;
  try {
    const change = { action: 'stop', force: true, timeout: forcedSeconds } as const;
    const operation = await changeState(incus, ref, change, { signal });
    const deleted = operation.wait({ signal, timeoutMs: endMs });
    await free.watch(
      observable ? Promise.race([deleted, waitForProcesses(ref.name, signal)]) : deleted,
    );
  } catch (error) {
    if (error instanceof StaleContainerRef) return;
    const what = `ending ${ref.name} failed`;
    const status = await findByRef(incus, ref).then(
      (found) => found?.instance.status,
      (lost: unknown) => {
        throw incusFailure(lost, what);
      },
    );
    // It has already ended.
    if (status === undefined || status === 'Stopped') return;
    throw free.explain(limit.aborted ? timeoutError(what) : incusFailure(error, what));
  }
}

/** liblxc removes its control groups when the last process has ended. Never rejects. */
async function waitForProcesses(container: string, signal: AbortSignal): Promise<void> {
  while (cgroupsByName(container) && !signal.aborted) await delay(lookMs);
  // After an abort the other promise reports the error.
  if (signal.aborted) await new Promise(() => {});
}

function timeoutError(what: string): CoiError {
  return new CoiError('timeout', `${what}: it did not end within ${endMs / 1000} s`);
}
