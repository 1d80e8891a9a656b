// Removes leftovers of killed builds, found by the process id that they carry.
import type { Incus } from '../incus/client.ts';
import { keys } from '../instance-keys.ts';
import { workPrefix } from './build.ts';
import { removeContainer, waitForOperation } from './container.ts';

/** Removes containers, unnamed images and (this user's) directories of builds whose process has ended. */
export async function sweepDeadBuilds(
  incus: Incus,
  removeDirectories: (isLeftover: (name: string) => boolean) => Promise<void>,
  isAlive: (pid: number) => boolean,
): Promise<void> {
  const dead = (mark: string | undefined) =>
    mark !== undefined && /^\d+$/.test(mark) && !isAlive(Number(mark));
  for (const { name, config } of await incus.instances()) {
    if (name.startsWith(workPrefix) && dead(config[keys.build]))
      await removeContainer({ incus, name });
  }
  for (const { fingerprint, properties, aliases } of await incus.images()) {
    if (aliases.length === 0 && dead(properties[keys.build]))
      await waitForOperation(incus.deleteImage(fingerprint));
  }
  await removeDirectories((name) => dead(new RegExp(`^${workPrefix}(\\d+)-`).exec(name)?.[1]));
}
