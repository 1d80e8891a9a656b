// The locks that the user's programs create next to a file while they change it: directories, as in npm's proper-lockfile,
// which count as stale when they have not been touched for a while.
import { lstatSync, mkdirSync, rmdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { FileError, withFileErrors } from '../fs/file-error.ts';
import { openUserDirectory, userPath } from '../fs/user/user-path.ts';

export interface UserLock {
  /** In the directory of the file's name, not of its link target: programs look for the lock there. */
  readonly name: string;
  /** Also take `<directory>.lock`, next to the directory's real path, as older versions of a program do. */
  readonly ofDirectory?: boolean;
  readonly staleMs: number;
  readonly nowMs: number;
}

/** Takes all locks and returns a function that releases them; undefined if another program holds one. Throws FileError. */
export function takeUserLock(
  home: string,
  relative: string,
  lock: UserLock,
): (() => void) | undefined {
  const real = userPath(home, dirname(relative));
  // Nobody can hold a lock in a missing directory.
  if (real === undefined) return () => undefined;
  const shown = `${home}/${relative}`;
  const first = takeLockDirectory(real, lock.name, lock, shown);
  if (!first || !lock.ofDirectory) return first;
  const second = optionalLock(() =>
    takeLockDirectory(dirname(real), `${basename(real)}.lock`, lock, shown),
  );
  if (second === undefined) {
    first();
    return undefined;
  }
  return () => {
    second();
    first();
  };
}

/** If the lock cannot be created (foreign or read-only directory), no other program of the user can hold it. */
function optionalLock(take: () => (() => void) | undefined): (() => void) | undefined {
  try {
    return take();
  } catch (error) {
    if (error instanceof FileError) return () => undefined;
    throw error;
  }
}

function takeLockDirectory(
  parent: string,
  name: string,
  { staleMs, nowMs }: UserLock,
  shown: string,
): (() => void) | undefined {
  const directory = openUserDirectory(parent, shown);
  const release = () => {
    // May fail if another program considered it stale and took it over.
    directory.removeEmpty(name);
    directory[Symbol.dispose]();
  };
  try {
    if (tryMakeLock(directory.fdPath(name), staleMs, nowMs, shown)) return release;
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
  directory[Symbol.dispose]();
  return undefined;
}

function tryMakeLock(path: string, staleMs: number, nowMs: number, shown: string): boolean {
  for (const last of [false, true]) {
    try {
      mkdirSync(path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw new FileError('failed', shown, 'cannot be locked', error);
    }
    const since = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (last || since + staleMs > nowMs) return false;
    withFileErrors(shown, () => rmdirSync(path));
  }
  return false;
}
