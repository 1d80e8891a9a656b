// Stops the sessions of a workspace at once when its protection is attacked, whether they are watched or not.
import { findCgroups, freeze } from '../../host/cgroups.ts';
import type { Incus } from '../../incus/client.ts';
import { type Alert, alertKeyName } from '../../monitor/alert.ts';
import { redacted } from '../../monitor/redact.ts';
import { sessionRecord } from '../../session/record.ts';
import type { Log } from '../log.ts';
import type { World } from '../world.ts';
import { insist } from './effects.ts';

export interface PauseParts {
  readonly incus: Incus;
  readonly world: World;
  readonly log: Log;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

const title = 'Protection attacked';

/** Those with these mounts. Throws IncusError. */
export async function pauseAll(
  { incus, world, log, now, signal }: PauseParts,
  ids: readonly string[],
  path: string,
): Promise<void> {
  const running = (await world.instances()).filter(
    ({ config, status }) =>
      status === 'Running' && ids.includes(sessionRecord(config)?.mounts.id ?? ''),
  );
  await Promise.all(
    running.map(async ({ name }) => {
      const { pid } = await incus.instanceState(name, { signal });
      const cgroups = findCgroups(pid);
      if (cgroups) freeze(cgroups);
      log('warning', 'paused', { name, title, path });
      const alert: Alert = {
        level: 'critical',
        title,
        description: redacted(
          `The guard of ${path} was taken away, or another directory took its place.`,
        ),
        time: now().toISOString(),
        action: 'paused',
      };
      await incus.updateInstance(
        name,
        { config: { [alertKeyName]: JSON.stringify(alert) } },
        { signal },
      );
      await insist({ incus, signal }, name, { action: 'freeze' }, ['Frozen', 'Stopped']);
    }),
  );
}
