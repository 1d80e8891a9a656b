// File locks that end with the process, however it ends. Source: fcntl(2), "Advisory record locking".
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { withFileErrors } from '../fs/file-error.ts';
import { type Libc, SystemCallError } from '../linux/libc.ts';

const F_GETLK = 5;
const F_SETLK = 6;
const F_WRLCK = 1;
const F_UNLCK = 2;
const flockBytes = 32;
const pidAt = 24;
/** The polling interval: the kernel's blocking wait would stop the whole program. */
const againMs = 10;

export type LockResult =
  /** Held until released or until the process ends. */
  { readonly kind: 'taken'; release(): void } | { readonly kind: 'held'; readonly pid: number };

/**
 * Takes the lock and writes the pid to the file, or returns the holder. One process may take a lock twice.
 * Not flock(2): a child made by clone would keep such a lock.
 */
export function takeLock(libc: Libc, path: string): LockResult {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  if (!tryLock(libc, fd)) {
    const holder = flock();
    libc.fcntl(fd, F_GETLK, holder);
    closeSync(fd);
    return { kind: 'held', pid: holder.readInt32LE(pidAt) };
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
  return { kind: 'taken', release: () => closeSync(fd) };
}

/** The pid of the lock's holder, or undefined. */
export function lockHolder(libc: Libc, path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const holder = flock();
    libc.fcntl(fd, F_GETLK, holder);
    return holder.readInt16LE(0) === F_UNLCK ? undefined : holder.readInt32LE(pidAt);
  } finally {
    closeSync(fd);
  }
}

/**
 * Runs `effect` with the lock on that file, which is created and kept. False if others held it until the limit.
 * `effect` must be synchronous, since the lock belongs to the whole process. Throws FileError.
 */
export async function withLock(
  libc: Libc,
  path: string,
  limit: AbortSignal,
  effect: () => void,
): Promise<boolean> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  while (!limit.aborted) {
    const fd = withFileErrors(path, () => openSync(path, flags, 0o600));
    try {
      if (withFileErrors(path, () => tryLock(libc, fd))) {
        effect();
        return true;
      }
    } finally {
      closeSync(fd);
    }
    await delay(againMs, undefined, { signal: limit }).catch(() => undefined);
  }
  return false;
}

/** False if another process holds the lock. */
function tryLock(libc: Libc, fd: number): boolean {
  try {
    libc.fcntl(fd, F_SETLK, flock());
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && (error.code === 'EAGAIN' || error.code === 'EACCES'))
      return false;
    throw error;
  }
}

/** struct flock: a write lock on the whole file. */
function flock(): Buffer {
  const buffer = Buffer.alloc(flockBytes);
  buffer.writeInt16LE(F_WRLCK, 0);
  return buffer;
}
