// How much space a directory uses, links not followed.
import { lstatSync } from 'node:fs';
import { walk } from '../walk.ts';

const entriesMax = 500_000;
/** st_blocks counts in these, whatever the file system (stat(2)). */
const blockBytes = 512;

export function treeId({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}

export interface TreeSize {
  readonly bytes: number;
  /** False where there was too much to count all of it. */
  readonly complete: boolean;
  /** Tells this directory from another one of its name. */
  readonly id: string;
  /** When something in it was changed last. */
  readonly newestMs: number;
}

/** Undefined where there is no such directory. */
export function measureTree(path: string): TreeSize | undefined {
  const top = lstatSync(path, { throwIfNoEntry: false });
  if (!top?.isDirectory()) return undefined;
  const { found, complete } = walk(path, () => true, entriesMax);
  // A file of several names is there once.
  const seen = new Set<string>();
  let bytes = top.blocks * blockBytes;
  let newestMs = top.mtimeMs;
  for (const { stats } of found) {
    newestMs = Math.max(newestMs, stats.mtimeMs);
    if (stats.nlink > 1 && !stats.isDirectory()) {
      const id = treeId(stats);
      if (seen.has(id)) continue;
      seen.add(id);
    }
    bytes += stats.blocks * blockBytes;
  }
  return { bytes, complete, id: treeId(top), newestMs };
}
