// Finds programs that run with other rights than their caller's: setuid, setgid, file capabilities.
import { chmodSync, constants, fstatSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Libc } from '../../linux/libc.ts';
import { findBelow } from '../find-below.ts';

export interface SetIdSearch {
  /** An open directory (O_PATH is enough). Mounts below it are skipped. */
  readonly directory: number;
  /** Only inodes that changed since then; earlier ones are the user's. */
  readonly sinceMs: number;
  /** Removes the rights; otherwise they are only reported. */
  readonly strip: boolean;
  readonly signal: AbortSignal;
}

export interface SetIdFile {
  /** Relative to the directory. */
  readonly path: string;
  /** Permission bits as they were found. */
  readonly mode: number;
  readonly capabilities: boolean;
}

const capabilityAttribute = 'security.capability';
const setIdBits = 0o6000;
const portionEntries = 200;
/** All files are counted and stripped; only this many are listed. */
const namesMax = 1000;

export interface SetIdResult {
  /** The first `namesMax` files. */
  readonly found: readonly SetIdFile[];
  readonly count: number;
  /** False if it was stopped early, find failed, or a file could not be checked or stripped. */
  readonly complete: boolean;
}

export async function findSetIdFiles(
  libc: Pick<Libc, 'getxattr' | 'openat2' | 'removexattr'>,
  { directory, sinceMs, strip, signal }: SetIdSearch,
): Promise<SetIdResult> {
  const found: SetIdFile[] = [];
  let [seen, count, missed] = [0, 0, 0];
  const since = (sinceMs / 1000).toFixed(3);
  const tests = ['-type', 'f', '-newerct', `@${since}`, '-perm', '/6111'];
  const ended = await findBelow({ libc, directory, tests, signal }, async ({ path, fd }) => {
    if (++seen % portionEntries === 0) await setImmediate();
    try {
      const file = fd === undefined ? 'moved' : checkFile(libc, fd, strip);
      // The next search finds it under its new name.
      if (file === 'moved') missed += 1;
      else if (file !== 'ordinary') {
        count += 1;
        if (found.length < namesMax) found.push({ path: path.toString(), ...file });
      }
    } catch {
      // One failing file must not stop the others from being checked.
      missed += 1;
    }
    return 'more';
  });
  return { found, count, complete: ended && missed === 0 };
}

/** The rights that an open file (O_PATH) had. */
function checkFile(
  libc: Pick<Libc, 'getxattr' | 'removexattr'>,
  fd: number,
  strip: boolean,
): Omit<SetIdFile, 'path'> | 'ordinary' {
  const { mode } = fstatSync(fd);
  if ((mode & constants.S_IFMT) !== constants.S_IFREG) return 'ordinary';
  const place = `/proc/self/fd/${fd}`;
  const capabilities = libc.getxattr(place, capabilityAttribute) !== undefined;
  if ((mode & setIdBits) === 0 && !capabilities) return 'ordinary';
  if (strip && capabilities) libc.removexattr(place, capabilityAttribute);
  if (strip && (mode & setIdBits) !== 0) chmodSync(place, mode & 0o1777);
  return { mode: mode & 0o7777, capabilities };
}
