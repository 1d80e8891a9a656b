// Programs that run with rights that are not those of who starts them: setuid, setgid, file capabilities.
import { chmodSync, constants, fstatSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Libc } from '../../linux/libc.ts';
import { findBelow } from '../find-below.ts';

export interface SetIdSearch {
  /** An opened directory (O_PATH is enough). Mounts below it are left alone. */
  readonly directory: number;
  /** Only inodes that changed since then: what was so before is the user's own. */
  readonly sinceMs: number;
  /** Takes the rights away; else only tells. */
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
/** All are counted and stripped; the names of so many are kept. */
const namesMax = 1000;

export interface SetIdResult {
  /** The first of them. */
  readonly found: readonly SetIdFile[];
  readonly count: number;
  /** False if it was ended early, find failed, or a file could not be looked at or stripped. */
  readonly complete: boolean;
}

export async function setIdFiles(
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
      const file = fd === undefined ? 'moved' : rightsTaken(libc, fd, strip);
      // Under its new name, or what is there now, it is for the next search.
      if (file === 'moved') missed += 1;
      else if (file !== 'ordinary') {
        count += 1;
        if (found.length < namesMax) found.push({ path: path.toString(), ...file });
      }
    } catch {
      // One file that refuses must not keep the others from being looked at.
      missed += 1;
    }
    return 'more';
  });
  return { found, count, complete: ended && missed === 0 };
}

/** What an opened file (O_PATH) had of such rights. */
function rightsTaken(
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
