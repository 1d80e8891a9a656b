// Whole directory trees.
import { rmSync } from 'node:fs';

/** Removes a directory with everything in it; links in it are removed, not followed. */
export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
