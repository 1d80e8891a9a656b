// What becomes of the sessions of a workspace whose protection is attacked: they stop at once, whether they are watched or
// not. That a protected path was made, which was missing, is said where nobody watches.
import { findCgroups, freeze } from '../../host/proc/cgroups.ts';
import type { Incus } from '../../incus/client.ts';
import { keys } from '../../instance-keys.ts';
import type { Alert } from '../../monitor/alert.ts';
import { describeMade } from '../../monitor/detectors/touches.ts';
import { redacted } from '../../monitor/redact.ts';
import { meant, updateContainer } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { Tampering } from '../protect/tampering.ts';
import type { World } from '../reconcile/incus-cache.ts';
import { insist } from './effects.ts';

export interface AnswerParts {
  readonly incus: Incus;
  readonly world: World;
  readonly log: Log;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** Those with these mounts. Throws IncusError. */
export async function answerTampering(
  { incus, world, log, now, signal }: AnswerParts,
  ids: readonly string[],
  { path, what }: Tampering,
): Promise<void> {
  const running = (await world.instances()).filter(
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
        // The process of that number is this one's, if the container is there still.
        await meant(incus, ref, { signal });
        const cgroups = findCgroups(pid);
        if (cgroups) freeze(cgroups);
        log('warning', 'paused', { name, title: alert.title, path });
      }
      const config = { [keys.alert]: JSON.stringify(alert) };
      await updateContainer(incus, ref, { config }, { signal });
      if (pauses) await insist({ incus, signal }, ref, { action: 'freeze' }, ['Frozen', 'Stopped']);
    }),
  );
}

function alertOfLost(path: string, time: string): Alert {
  return {
    level: 'critical',
    title: 'Workspace not found',
    description: redacted(
      `The directory ${path} is not there any more, so that nothing in it can be guarded. Put it back.`,
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
      `What is protected in ${path} could not be looked at for ten seconds. Run \`coi daemon logs\` for the reason.`,
    ),
    time,
    action: 'paused',
  };
}

function alertOfAttack(path: string, time: string): Alert {
  return {
    level: 'critical',
    title: 'Protection attacked',
    description: redacted(
      `The guard of ${path} was taken away, or another directory took its place.`,
    ),
    time,
    action: 'paused',
  };
}

function alertOfMade(path: string, time: string): Alert {
  return {
    level: 'high',
    title: 'Protected path made',
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
