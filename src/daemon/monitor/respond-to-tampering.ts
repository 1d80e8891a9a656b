// Responds to tampering with a workspace's guard: pauses its sessions at once, watched or not. The creation of a missing
// protected path only raises an alert, for sessions that are not watched.
import { findCgroups, freeze } from '../../host/proc/cgroups.ts';
import type { Incus } from '../../incus/client.ts';
import { keys } from '../../instance-keys.ts';
import type { Alert } from '../../monitor/alert.ts';
import { describeMade } from '../../monitor/detectors/touches.ts';
import { redacted } from '../../monitor/redact.ts';
import { getByRef, updateContainer } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { Tampering } from '../protect/tampering.ts';
import type { IncusCache } from '../reconcile/incus-cache.ts';
import { changeStateWithRetry } from './effects.ts';

export interface TamperingParts {
  readonly incus: Incus;
  readonly incusCache: IncusCache;
  readonly log: Log;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** For the sessions with these mounts ids. Throws IncusError. */
export async function respondToTampering(
  { incus, incusCache, log, now, signal }: TamperingParts,
  ids: readonly string[],
  { path, what }: Tampering,
): Promise<void> {
  const running = (await incusCache.instances()).filter(
    ({ config, status }) =>
      status === 'Running' && ids.includes(sessionRecord(config)?.mounts.id ?? ''),
  );
  const time = now().toISOString();
  const alert = alertOf[what](path, time);
  const pauses = alert.action === 'paused';
  await Promise.all(
    running.map(async (instance) => {
      const { name } = instance;
      const ref = refOf(instance);
      if (pauses) {
        const { pid } = await incus.instanceState(name, { signal });
        // The pid belongs to this container only if it still exists.
        await getByRef(incus, ref, { signal });
        const cgroups = findCgroups(pid);
        if (cgroups) freeze(cgroups);
        log('warning', 'paused', { name, title: alert.title, path });
      }
      const config = { [keys.alert]: JSON.stringify(alert) };
      await updateContainer(incus, ref, { config }, { signal });
      if (pauses)
        await changeStateWithRetry({ incus, signal }, ref, { action: 'freeze' }, [
          'Frozen',
          'Stopped',
        ]);
    }),
  );
}

function alertOfLost(path: string, time: string): Alert {
  return {
    level: 'critical',
    title: 'Workspace not found',
    description: redacted(
      `The directory ${path} no longer exists, so nothing in it can be guarded. Restore it.`,
    ),
    time,
    action: 'paused',
  };
}

function alertOfFailing(path: string, time: string): Alert {
  return {
    level: 'critical',
    title: 'Guard failed',
    description: redacted(
      `The protected paths in ${path} could not be checked for ten seconds. Run \`coi daemon logs\` to see why.`,
    ),
    time,
    action: 'paused',
  };
}

function alertOfAttack(path: string, time: string): Alert {
  return {
    level: 'critical',
    title: 'Protection attacked',
    description: redacted(`The guard of ${path} was removed, or another directory replaced it.`),
    time,
    action: 'paused',
  };
}

function alertOfMade(path: string, time: string): Alert {
  return {
    level: 'high',
    title: 'Protected path created',
    description: redacted(describeMade(path)),
    time,
    action: 'alerted',
  };
}

const alertOf: Readonly<Record<Tampering['what'], (path: string, time: string) => Alert>> = {
  made: alertOfMade,
  stripped: alertOfAttack,
  replaced: alertOfAttack,
  lost: alertOfLost,
  failing: alertOfFailing,
};
