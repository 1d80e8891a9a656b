// Removes directories of one user from a directory that every account can write, such as /var/tmp.
import { hostFiles } from '../host-files.ts';
import { removeTree } from '../remove-tree.ts';

/** Other accounts may plant links or remove entries meanwhile; an entry that cannot be removed stays. */
export async function removeOwnDirectories(
  parentPath: string,
  uid: number,
  matches: (name: string) => boolean,
): Promise<void> {
  using parent = hostFiles.open(parentPath);
  if (!parent) return;
  for (const { name, kind } of [...parent.entries()]) {
    if (kind !== 'directory' || !matches(name)) continue;
    try {
      // The owner of the directory itself counts, not that of a link's target.
      const entry = parent.entry(name);
      if (entry?.kind === 'directory' && entry.stat.uid === uid) await removeTree(parent, name);
    } catch (error) {
      if (!hostFiles.asFileError(error)) throw error;
    }
  }
}
