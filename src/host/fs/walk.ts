// Walks a directory tree without following links.
import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';

export interface TreeEntry {
  readonly path: string;
  readonly stats: Stats;
}

/** All entries below, with relative paths; `enter` selects the directories to descend into. `complete` is false beyond `max` entries. */
export function walk(
  root: string,
  enter: (path: string) => boolean,
  max: number,
): { found: TreeEntry[]; complete: boolean } {
  const found: TreeEntry[] = [];
  const open = [''];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    for (const name of names(join(root, directory))) {
      if (found.length === max) return { found, complete: false };
      const path = directory === '' ? name : `${directory}/${name}`;
      const stats = lstatSync(join(root, path), { throwIfNoEntry: false });
      if (!stats) continue;
      found.push({ path, stats });
      if (stats.isDirectory() && enter(path)) open.push(path);
    }
  }
  return { found, complete: true };
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // Removed meanwhile, or not readable.
    return [];
  }
}
