// The end of a run. How it goes does not change what the command returned: what is left behind is told.
import { setTimeout as delay } from 'node:timers/promises';
import { CoiError } from '../../errors.ts';
import { groupsByName } from '../../host/proc/cgroups.ts';
import { killContainer } from '../../session/lifecycle/end-container.ts';
import { Freeing } from '../../session/lifecycle/free-stuck.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { changeState, findMeant, NotMeant } from '../../session/record/change-instance.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import type { AppContext } from '../context.ts';
import { freeing } from '../end-sessions/free-stuck.ts';
import { stopKept } from './stop-persistent.ts';

/** What Incus is told for a stop by force. */
const forcedSeconds = 30;
/** An end takes less than a second; one of a container that coid has to free takes six. */
const endMs = 30_000;
const killMs = 90_000;
const lookMs = 10;

/** `persistent`: it is stopped. `disposable`: Incus deletes it when it has stopped. Else it is killed. */
export async function endOfRun(
  app: AppContext,
  ref: ContainerRef,
  kind: 'persistent' | 'disposable' | 'other',
): Promise<void> {
  try {
    if (kind === 'persistent') await stopKept(app, ref);
    else if (kind === 'disposable') await disposed(app, ref);
    else await killContainer(await app.incus(), ref, AbortSignal.timeout(killMs), freeing(app));
  } catch (error) {
    const { message } = error as Error;
    app.report.warn(`${message}; it is left: \`coi kill ${ref.name}\` tries again`);
  }
}

/**
 * Waits until none of its processes is left, and not until Incus has deleted it, which is certain then and takes as long as a
 * short command. Where that cannot be seen it is waited for all the same.
 */
async function disposed(app: AppContext, ref: ContainerRef): Promise<void> {
  const incus = await app.incus();
  const free = new Freeing(ref, freeing(app));
  // Who interrupted the command waits for its end all the same: only another interrupt ends this.
  const limit = AbortSignal.timeout(endMs);
  const signal = app.signal.aborted ? limit : AbortSignal.any([limit, app.signal]);
  const seen = groupsByName(ref.name) !== undefined;
  try {
    const change = { action: 'stop', force: true, timeout: forcedSeconds } as const;
    const operation = await changeState(incus, ref, change, { signal });
    const deleted = operation.wait({ signal, timeoutMs: endMs });
    await free.while(seen ? Promise.race([deleted, withoutProcesses(ref.name, signal)]) : deleted);
  } catch (error) {
    if (error instanceof NotMeant) return;
    const what = `ending ${ref.name} failed`;
    const status = await findMeant(incus, ref).then(
      (found) => found?.instance.status,
      (lost: unknown) => {
        throw incusFailure(lost, what);
      },
    );
    // It ended by itself meanwhile, which is what was wanted.
    if (status === undefined || status === 'Stopped') return;
    throw free.told(limit.aborted ? late(what) : incusFailure(error, what));
  }
}

/** liblxc takes its control groups away when the last of them has ended. Never fails. */
async function withoutProcesses(container: string, signal: AbortSignal): Promise<void> {
  while (groupsByName(container) && !signal.aborted) await delay(lookMs);
  // What has to be told then the other one tells.
  if (signal.aborted) await new Promise(() => {});
}

function late(what: string): CoiError {
  return new CoiError('timeout', `${what}: it did not end within ${endMs / 1000} s`);
}
