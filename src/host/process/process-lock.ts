// A lock on a file that ends with the process however it ends. Source: fcntl(2), "Advisory record locking".
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { attempt } from '../fs/file-error.ts';
import { type Libc, SystemCallError } from '../linux/libc.ts';

const F_GETLK = 5;
const F_SETLK = 6;
const F_WRLCK = 1;
const F_UNLCK = 2;
const flockBytes = 32;
const pidAt = 24;
/** Between two tries: the kernel's own wait would hold up the whole program. */
const againMs = 10;

export type Taken =
  /** For the life of the process, or until it is released. */
  { readonly kind: 'taken'; release(): void } | { readonly kind: 'held'; readonly pid: number };

/**
 * Takes the lock and writes the process id into the file, or says who has it. One process may take a lock twice.
 * Not flock(2): such a lock would live on in a child made by clone.
 */
export function takeLock(libc: Libc, path: string): Taken {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  if (!locked(libc, fd)) {
    const holder = flock();
    libc.fcntl(fd, F_GETLK, holder);
    closeSync(fd);
    return { kind: 'held', pid: holder.readInt32LE(pidAt) };
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
  return { kind: 'taken', release: () => closeSync(fd) };
}

/** The process that has the lock, or undefined. */
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
 * Runs `effect` while no other process has the lock on that file, which is made and stays. False if others had it until
 * the signal. `effect` waits for nothing, since the lock is the whole process's. Throws FileError.
 */
export async function whileLocked(
  libc: Libc,
  path: string,
  limit: AbortSignal,
  effect: () => void,
): Promise<boolean> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  while (!limit.aborted) {
    const fd = attempt(path, () => openSync(path, flags, 0o600));
    try {
      if (attempt(path, () => locked(libc, fd))) {
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

/** False if another process has it. */
function locked(libc: Libc, fd: number): boolean {
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
