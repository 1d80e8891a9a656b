// Files of the user's home that may be links, because dotfiles are often kept elsewhere: user-path.ts says which are followed.
import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  openSync,
  readlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { takeUserLock, type UserLock } from '../../process/user-lock.ts';
import { Directory } from '../directory.ts';
import { contentOf, type FileContent, type Owner, openedFile, openedOr } from '../file-content.ts';
import { attempt, FileError } from '../file-error.ts';
import { removeLeftovers } from './leftovers.ts';
import { openedUserDirectory, userPath } from './user-path.ts';

/** A program that writes all the time is left to it. */
const triesMax = 5;

/** Reads a regular file below `home`; undefined if it is missing. Throws FileError `link` where a link may not be followed. */
export function readUserFile(
  home: string,
  relative: string,
  options: { maxBytes: number },
): FileContent | undefined {
  const shown = `${home}/${relative}`;
  const path = userPath(home, relative);
  const fd = path === undefined ? undefined : openedFile(path, shown);
  if (fd === undefined) return undefined;
  try {
    // The walk went by names; that the descriptor is what they led to shows that none was exchanged meanwhile.
    if (readlinkSync(`/proc/self/fd/${fd}`) !== path)
      throw new FileError('failed', shown, 'was moved while it was being opened');
    return contentOf(fd, shown, options.maxBytes);
  } finally {
    closeSync(fd);
  }
}

export interface UserChange {
  readonly maxBytes: number;
  readonly owner: Owner;
  readonly lock?: UserLock;
}

/**
 * Changes a file of the user's own as a whole, where it is or where the user's link leads; what is missing is made.
 * False if a program of the user is changing it itself. Throws FileError as for reading.
 */
export function changeUserFile(
  home: string,
  relative: string,
  change: (text: string | undefined) => string | undefined,
  { maxBytes, owner, lock }: UserChange,
): boolean {
  const shown = `${home}/${relative}`;
  using place = placeOf(home, relative, shown, owner);
  const letGo = lock ? takeUserLock(home, relative, lock) : () => undefined;
  if (!letGo) return false;
  try {
    for (let tries = 0; tries < triesMax; tries += 1)
      if (isChanged(place, change, { maxBytes, owner, shown })) return true;
  } finally {
    letGo();
  }
  return false;
}

/** False if somebody else has changed it in the meantime: then nothing was written. */
function isChanged(
  { directory, name }: Place,
  change: (text: string | undefined) => string | undefined,
  { maxBytes, owner, shown }: { maxBytes: number; owner: Owner; shown: string },
): boolean {
  const mark = markOf(directory, name);
  const before = directory.read(name, { maxBytes });
  const after = change(before?.text);
  if (after === undefined || after === before?.text) return true;
  const mode = before ? before.mode & 0o700 : 0o600;
  // Not every program takes a lock for every change, and a write that waits for the disk takes a while.
  const isSame = () => markOf(directory, name) === mark;
  let written = false;
  const write = () => {
    written = directory.write(name, after, { owner, mode, onlyIf: isSame });
  };
  if (!isRefusedRename(write)) return written;
  if (!isSame()) return false;
  writeInPlace(directory.at(name), after, shown);
  return true;
}

function markOf(directory: Directory, name: string): string {
  const stat = directory.entry(name)?.stat;
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}` : 'none';
}

/**
 * Takes away what interrupted changes of that file have left, beside it and where a link leads. True if there is something
 * that may still be written. Throws FileError.
 */
export function removeUserLeftovers(
  home: string,
  relative: string,
  { owner, nowMs }: { owner: Owner; nowMs: number },
): boolean {
  const path = userPath(home, relative);
  const places = [userPath(home, dirname(relative)), path === undefined ? path : dirname(path)];
  let isYoung = false;
  for (const place of new Set(places)) {
    if (place === undefined) continue;
    using directory = openedUserDirectory(place, `${home}/${relative}`);
    isYoung = removeLeftovers(directory, owner, nowMs) || isYoung;
  }
  return isYoung;
}

/** A file that is mounted by itself cannot be renamed over. */
function isRefusedRename(write: () => void): boolean {
  try {
    write();
    return false;
  } catch (error) {
    const cause = error instanceof FileError ? error.cause : undefined;
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== 'EBUSY') throw error;
    return true;
  }
}

function writeInPlace(path: string, text: string, shown: string): void {
  attempt(shown, () => {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      // Cut off last, so that a full disk leaves more of the old one than nothing.
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
      ftruncateSync(fd, bytes.length);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}

interface Place extends Disposable {
  readonly directory: Directory;
  readonly name: string;
}

/** The directory that the file is in, or would be, and its name there. */
function placeOf(home: string, relative: string, shown: string, owner: Owner): Place {
  const path = userPath(home, relative);
  const directory = directoryOf(home, relative, path, shown, owner);
  const name = basename(path ?? relative);
  return { directory, name, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}

function directoryOf(
  home: string,
  relative: string,
  path: string | undefined,
  shown: string,
  owner: Owner,
): Directory {
  const above = dirname(relative);
  const parent = path === undefined ? userPath(home, above) : dirname(path);
  if (parent === undefined) {
    const top = openedOr(home, constants.O_RDONLY | constants.O_DIRECTORY, home);
    if (top === undefined) throw new FileError('failed', home, 'does not exist');
    using opened = new Directory(top, home);
    return opened.makeDirectory(above, { owner });
  }
  return openedUserDirectory(parent, shown);
}
