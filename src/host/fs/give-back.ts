// Gives what carries ids of a container to its owner. The tree may be hostile and change meanwhile: `find` only says
// where to look; each entry is then opened through no link, and changed by its descriptor.
import { chmodSync, chownSync, constants, fstatSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Libc } from '../linux/libc.ts';
import type { Owner } from './file-content.ts';
import { findBelow } from './find-below.ts';

/** Ids from `from` on, uids and gids alike. */
export interface OwnedRange {
  readonly from: number;
  readonly count: number;
}

export interface GiveBack {
  readonly libc: Pick<Libc, 'openat2'>;
  /** An opened directory (O_PATH is enough). Mounts below it are left alone. */
  readonly directory: number;
  readonly range: OwnedRange;
  readonly owner: Owner;
  /** Only counts. */
  readonly dryRun?: boolean;
  /** Asked before each portion; false ends it. */
  readonly mayGoOn: () => boolean;
  readonly signal: AbortSignal;
}

export interface GivenBack {
  readonly count: number;
  /** False if it was ended early, or find failed. */
  readonly complete: boolean;
}

/** Other work of the process gets a turn after so many entries. */
const portionEntries = 100;
const regularFile = constants.S_IFREG;
const setIdBits = 0o6000;

/** Resolves when everything is changed, or the signal aborts, or nothing more may be done. */
export async function giveBack(wish: GiveBack): Promise<GivenBack> {
  const { libc, range, signal, directory } = wish;
  const within = (id: string) => [
    '(',
    `-${id}`,
    `+${range.from - 1}`,
    `-${id}`,
    `-${range.from + range.count}`,
    ')',
  ];
  let [seen, count] = [0, 0];
  const tests = ['(', ...within('uid'), '-o', ...within('gid'), ')'];
  const complete = await findBelow({ libc, directory, tests, signal }, async ({ fd }) => {
    if (seen++ % portionEntries === 0) {
      await setImmediate();
      if (signal.aborted || !wish.mayGoOn()) return 'enough';
    }
    if (fd !== undefined && give(fd, wish)) count += 1;
    return 'more';
  });
  return { count, complete };
}

function give(fd: number, { range, owner, dryRun }: GiveBack): boolean {
  const { uid, gid, mode } = fstatSync(fd);
  const isTheirs = (id: number) => id >= range.from && id < range.from + range.count;
  if (!isTheirs(uid) && !isTheirs(gid)) return false;
  if (dryRun) return true;
  const path = `/proc/self/fd/${fd}`;
  // Before the owner changes: a program that runs as the owner must not exist for a moment.
  if ((mode & constants.S_IFMT) === regularFile && (mode & setIdBits) !== 0)
    chmodSync(path, mode & 0o1777);
  chownSync(path, isTheirs(uid) ? owner.uid : uid, isTheirs(gid) ? owner.gid : gid);
  return true;
}
