// Directories of one user in a place where every account can write, as /var/tmp.
import { hostFiles } from '../host-files.ts';
import { removeTree } from '../remove-tree.ts';

/** Removes those that are meant. Others may plant links there or take things away meanwhile: what cannot be removed stays. */
export async function removeOwnDirectories(
  place: string,
  uid: number,
  isMeant: (name: string) => boolean,
): Promise<void> {
  using parent = hostFiles.open(place);
  if (!parent) return;
  for (const { name, kind } of [...parent.entries()]) {
    if (kind !== 'directory' || !isMeant(name)) continue;
    try {
      // The owner of a real directory is asked for, not that of what a link leads to.
      const entry = parent.entry(name);
      if (entry?.kind === 'directory' && entry.stat.uid === uid) await removeTree(parent, name);
    } catch (error) {
      if (!hostFiles.problem(error)) throw error;
    }
  }
}
