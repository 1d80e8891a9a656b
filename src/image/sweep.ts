// What a build leaves that was killed in the middle: found by the mark with the id of its process.
import { hostFiles } from '../host/files.ts';
import { removeTree } from '../host/remove.ts';
import type { Incus } from '../incus/client.ts';
import { buildKey } from '../session/adopted.ts';
import { workPrefix } from './build.ts';
import { removeContainer, settled } from './container.ts';

/** Removes containers, images that got no name and (this user's) directories of builds whose process is gone. */
export async function sweepDeadBuilds(
  incus: Incus,
  temporary: string,
  uid: number,
  isAlive: (pid: number) => boolean,
): Promise<void> {
  const dead = deadMark(isAlive);
  for (const { name, config } of await incus.instances()) {
    if (name.startsWith(workPrefix) && dead(config[buildKey]))
      await removeContainer({ incus, name });
  }
  for (const { fingerprint, properties, aliases } of await incus.images()) {
    if (aliases.length === 0 && dead(properties[buildKey]))
      await settled(incus.deleteImage(fingerprint));
  }
  await sweepDirectories(temporary, uid, isAlive);
}

/** Every account can put something into that place, a link too, or take it away meanwhile. None of that ends a build. */
export async function sweepDirectories(
  temporary: string,
  uid: number,
  isAlive: (pid: number) => boolean,
): Promise<void> {
  using parent = hostFiles.open(temporary);
  if (!parent) return;
  const dead = deadMark(isAlive);
  for (const { name, kind } of [...parent.entries()]) {
    const pid = new RegExp(`^${workPrefix}(\\d+)-`).exec(name)?.[1];
    if (kind !== 'directory' || !dead(pid)) continue;
    try {
      // The owner of a real directory is asked for, not that of what a link leads to.
      const entry = parent.entry(name);
      if (entry?.kind === 'directory' && entry.stat.uid === uid) await removeTree(parent, name);
    } catch (error) {
      if (!hostFiles.problem(error)) throw error;
    }
  }
}

function deadMark(isAlive: (pid: number) => boolean): (mark: string | undefined) => boolean {
  return (mark) => mark !== undefined && /^\d+$/.test(mark) && !isAlive(Number(mark));
}
