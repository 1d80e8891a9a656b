// The disk space that a directory uses, without following links.
import { lstatSync } from 'node:fs';
import { walk } from '../walk.ts';

const entriesMax = 500_000;
/** The unit of st_blocks on every file system (stat(2)). */
const blockBytes = 512;

export function treeId({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}

export interface TreeSize {
  readonly bytes: number;
  /** False if there were too many entries to count. */
  readonly complete: boolean;
  /** Distinguishes this directory from a later one with the same name. */
  readonly id: string;
  /** The latest modification below it. */
  readonly newestMs: number;
}

/** Undefined if the path is not a directory. */
export function measureTree(path: string): TreeSize | undefined {
  const top = lstatSync(path, { throwIfNoEntry: false });
  if (!top?.isDirectory()) return undefined;
  const { found, complete } = walk(path, () => true, entriesMax);
  // A file with several hard links counts once.
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
