// Walks a directory without following links.
import { lstatSync, readdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';

export interface Walked {
  readonly path: string;
  readonly stats: Stats;
}

/** Everything below, paths relative; `enter` says which directories are looked into. At most `max` entries: `complete` tells. */
export function walk(
  root: string,
  enter: (path: string) => boolean,
  max: number,
): { found: Walked[]; complete: boolean } {
  const found: Walked[] = [];
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
    // Gone meanwhile, or not the user's to read.
    return [];
  }
}
