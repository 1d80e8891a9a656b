// How much space a directory uses, links not followed.
import { lstatSync } from 'node:fs';
import { walk } from './walk.ts';

const entriesMax = 500_000;
/** st_blocks counts in these, whatever the file system (stat(2)). */
const blockBytes = 512;

/** Undefined where there is no such directory. */
export function measureTree(path: string): { bytes: number; complete: boolean } | undefined {
  const top = lstatSync(path, { throwIfNoEntry: false });
  if (!top?.isDirectory()) return undefined;
  const { found, complete } = walk(path, () => true, entriesMax);
  // A file of several names is there once.
  const seen = new Set<string>();
  let bytes = top.blocks * blockBytes;
  for (const { stats } of found) {
    if (stats.nlink > 1 && !stats.isDirectory()) {
      const id = `${stats.dev}:${stats.ino}`;
      if (seen.has(id)) continue;
      seen.add(id);
    }
    bytes += stats.blocks * blockBytes;
  }
  return { bytes, complete };
}
