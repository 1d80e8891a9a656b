// Changes the owner of entries that carry a container's ids. The tree may be hostile and change meanwhile: `find` only
// names candidates; each entry is then opened without following links and changed through its descriptor.
import { chmodSync, chownSync, constants, fstatSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Libc } from '../linux/libc.ts';
import type { Owner } from './file-content.ts';
import { findBelow } from './find-below.ts';

/** A range of uids and gids. */
export interface OwnedRange {
  readonly from: number;
  readonly count: number;
}

export interface ChownRequest {
  readonly libc: Pick<Libc, 'openat2'>;
  /** An open directory (O_PATH is enough). Mounts below it are skipped. */
  readonly directory: number;
  readonly range: OwnedRange;
  readonly owner: Owner;
  /** Only count. */
  readonly dryRun?: boolean;
  /** Called before each batch; false stops. */
  readonly shouldContinue: () => boolean;
  readonly signal: AbortSignal;
}

export interface ChownResult {
  readonly count: number;
  /** False if it was stopped early or find failed. */
  readonly complete: boolean;
}

/** Yields to the event loop after this many entries. */
const portionEntries = 100;
const regularFile = constants.S_IFREG;
const setIdBits = 0o6000;

/** Resolves when everything is changed, the signal aborts or `shouldContinue` returns false. */
export async function chownTree(request: ChownRequest): Promise<ChownResult> {
  const { libc, range, signal, directory } = request;
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
      if (signal.aborted || !request.shouldContinue()) return 'enough';
    }
    if (fd !== undefined && chownEntry(fd, request)) count += 1;
    return 'more';
  });
  return { count, complete };
}

function chownEntry(fd: number, { range, owner, dryRun }: ChownRequest): boolean {
  const { uid, gid, mode } = fstatSync(fd);
  const isTheirs = (id: number) => id >= range.from && id < range.from + range.count;
  if (!isTheirs(uid) && !isTheirs(gid)) return false;
  if (dryRun) return true;
  const path = `/proc/self/fd/${fd}`;
  // Before the owner changes: otherwise a setuid program of the new owner would exist for a moment.
  if ((mode & constants.S_IFMT) === regularFile && (mode & setIdBits) !== 0)
    chmodSync(path, mode & 0o1777);
  chownSync(path, isTheirs(uid) ? owner.uid : uid, isTheirs(gid) ? owner.gid : gid);
  return true;
}
