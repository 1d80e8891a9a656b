// Whole files are written under another name first (Directory.write). Who is killed meanwhile leaves that name behind, with
// what was being written in it: a login, for example.
import type { Directory } from '../directory.ts';
import type { Owner } from '../file-content.ts';
import { temporaryPattern } from '../temporary-name.ts';

/** A write takes milliseconds; a machine that sleeps in the midst of one has to end it first. */
const youngMs = 60_000;
/** An agent may have made any number in a session's store. */
const namesMax = 20_000;

/**
 * Takes away what is left behind in a directory, if it is that user's. True if there is more that may still be written.
 * By the time of change, which nobody can set. Throws FileError.
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
