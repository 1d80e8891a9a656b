// Programs that run with rights that are not those of who starts them: setuid, setgid, file capabilities.
import { chmodSync, constants, fstatSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { findBelow } from './find-below.ts';
import type { Libc } from './libc.ts';

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
const filesMax = 1000;

/** `complete` is false if it was ended early, or find failed. */
export async function setIdFiles(
  libc: Pick<Libc, 'getxattr' | 'removexattr'>,
  { directory, sinceMs, strip, signal }: SetIdSearch,
): Promise<{ readonly found: SetIdFile[]; readonly complete: boolean }> {
  const found: SetIdFile[] = [];
  let seen = 0;
  const since = (sinceMs / 1000).toFixed(3);
  const tests = ['-type', 'f', '-newerct', `@${since}`, '-perm', '/6111'];
  const complete = await findBelow({ directory, tests, signal }, async ({ path, fd }) => {
    if (++seen % portionEntries === 0) await setImmediate();
    if (fd === undefined) return 'more';
    const { mode } = fstatSync(fd);
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) return 'more';
    const place = `/proc/self/fd/${fd}`;
    const capabilities = libc.getxattr(place, capabilityAttribute) !== undefined;
    if ((mode & setIdBits) === 0 && !capabilities) return 'more';
    if (strip && capabilities) libc.removexattr(place, capabilityAttribute);
    if (strip && (mode & setIdBits) !== 0) chmodSync(place, mode & 0o1777);
    found.push({ path: path.toString(), mode: mode & 0o7777, capabilities });
    return found.length < filesMax ? 'more' : 'enough';
  });
  return { found, complete };
}
