// Removes temporary files of Directory.write: a process that is killed while writing leaves one behind, possibly with
// secret content such as a login.
import type { Directory } from '../directory.ts';
import type { Owner } from '../file-content.ts';
import { temporaryPattern } from '../temporary-name.ts';

/** A write takes milliseconds; one that a suspended machine interrupted must have time to finish. */
const youngMs = 60_000;
/** An agent may have created any number of them in a session store. */
const namesMax = 20_000;

/**
 * Removes the leftovers of that user from a directory. True if there are recent ones that may still be in use.
 * Age is measured by ctime, which nobody can set. Throws FileError.
 */
export function removeLeftovers(directory: Directory, owner: Owner, nowMs: number): boolean {
  const own = new Set([owner.uid, process.geteuid?.()]);
  const found: string[] = [];
  let seen = 0;
  for (const { name } of directory.entries()) {
    seen += 1;
    if (seen > namesMax) break;
    if (temporaryPattern.test(name)) found.push(name);
  }
  let isYoung = false;
  for (const name of found) {
    const entry = directory.entry(name);
    if (entry?.kind !== 'file' || !own.has(entry.stat.uid)) continue;
    if (nowMs - entry.stat.ctimeMs < youngMs) isYoung = true;
    else directory.unlink(name);
  }
  return isYoung;
}
