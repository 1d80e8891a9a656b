// Locks that programs of the user make beside a file while they change it: directories, as of npm's proper-lockfile, which
// count as left behind when they have not been touched for a while.
import { lstatSync, mkdirSync, rmdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { attempt, FileError } from '../fs/file-error.ts';
import { openedUserDirectory, userPath } from '../fs/user/user-path.ts';

export interface UserLock {
  /** In the directory that the file's own name is in: where a link of the file leads to, nobody looks for a lock. */
  readonly name: string;
  /** Also `<directory>.lock`, named by where the links of the directory lead: what older versions of a program take. */
  readonly ofDirectory?: boolean;
  readonly staleMs: number;
  readonly nowMs: number;
}

/** Takes all of it, and gives what lets go of it; undefined if a program of the user has one. Throws FileError. */
export function takeUserLock(
  home: string,
  relative: string,
  lock: UserLock,
): (() => void) | undefined {
  const real = userPath(home, dirname(relative));
  // Nobody can have a lock in what is not there.
  if (real === undefined) return () => undefined;
  const shown = `${home}/${relative}`;
  const first = taken(real, lock.name, lock, shown);
  if (!first || !lock.ofDirectory) return first;
  const second = optional(() => taken(dirname(real), `${basename(real)}.lock`, lock, shown));
  if (second === undefined) {
    first();
    return undefined;
  }
  return () => {
    second();
    first();
  };
}

/** Where it cannot be made (a directory of somebody else, a read-only one) nobody else can have it. */
function optional(take: () => (() => void) | undefined): (() => void) | undefined {
  try {
    return take();
  } catch (error) {
    if (error instanceof FileError) return () => undefined;
    throw error;
  }
}

function taken(
  parent: string,
  name: string,
  { staleMs, nowMs }: UserLock,
  shown: string,
): (() => void) | undefined {
  const directory = openedUserDirectory(parent, shown);
  const letGo = () => {
    // Whoever thought that it was left behind has taken it over.
    directory.unclaim(name);
    directory[Symbol.dispose]();
  };
  try {
    if (isMade(directory.at(name), staleMs, nowMs, shown)) return letGo;
  } catch (error) {
    directory[Symbol.dispose]();
    throw error;
  }
  directory[Symbol.dispose]();
  return undefined;
}

function isMade(path: string, staleMs: number, nowMs: number, shown: string): boolean {
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
    attempt(shown, () => rmdirSync(path));
  }
  return false;
}
