// Reads and changes files of the user's home that may be links, as of a dotfile manager; user-path.ts decides which are followed.
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
import {
  type FileContent,
  type Owner,
  openIfExists,
  openRegularFile,
  readContent,
} from '../file-content.ts';
import { FileError, withFileErrors } from '../file-error.ts';
import { removeLeftovers } from './leftovers.ts';
import { openUserDirectory, userPath } from './user-path.ts';

/** Gives up if another program keeps writing. */
const triesMax = 5;

/** Reads a regular file below `home`; undefined if it is missing. Throws FileError `link` where a link may not be followed. */
export function readUserFile(
  home: string,
  relative: string,
  options: { maxBytes: number },
): FileContent | undefined {
  const shown = `${home}/${relative}`;
  const path = userPath(home, relative);
  const fd = path === undefined ? undefined : openRegularFile(path, shown);
  if (fd === undefined) return undefined;
  try {
    // The path was resolved by name; comparing the descriptor's path proves that none was swapped meanwhile.
    if (readlinkSync(`/proc/self/fd/${fd}`) !== path)
      throw new FileError('failed', shown, 'was moved while it was being opened');
    return readContent(fd, shown, options.maxBytes);
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
 * Replaces the content of a user's file, also through the user's link; missing directories are created.
 * False if another program keeps changing it. Throws FileError as for reading.
 */
export function changeUserFile(
  home: string,
  relative: string,
  change: (text: string | undefined) => string | undefined,
  { maxBytes, owner, lock }: UserChange,
): boolean {
  const shown = `${home}/${relative}`;
  using place = openLocation(home, relative, shown, owner);
  const release = lock ? takeUserLock(home, relative, lock) : () => undefined;
  if (!release) return false;
  try {
    for (let tries = 0; tries < triesMax; tries += 1)
      if (tryChange(place, change, { maxBytes, owner, shown })) return true;
  } finally {
    release();
  }
  return false;
}

/** False, with nothing written, if another program has changed it meanwhile. */
function tryChange(
  { directory, name }: FileLocation,
  change: (text: string | undefined) => string | undefined,
  { maxBytes, owner, shown }: { maxBytes: number; owner: Owner; shown: string },
): boolean {
  const mark = versionOf(directory, name);
  const before = directory.read(name, { maxBytes });
  const after = change(before?.text);
  if (after === undefined || after === before?.text) return true;
  const mode = before ? before.mode & 0o700 : 0o600;
  // Not every program locks the file for every change, and a write to disk takes time.
  const isSame = () => versionOf(directory, name) === mark;
  let written = false;
  const write = () => {
    written = directory.write(name, after, { owner, mode, onlyIf: isSame });
  };
  if (!isRenameRefused(write)) return written;
  if (!isSame()) return false;
  writeInPlace(directory.fdPath(name), after, shown);
  return true;
}

function versionOf(directory: Directory, name: string): string {
  const stat = directory.entry(name)?.stat;
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeMs} ${stat.ctimeMs}` : 'none';
}

/**
 * Removes temporary files of interrupted changes next to that file and next to its link target. True if there are recent
 * ones that may still be in use. Throws FileError.
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
    using directory = openUserDirectory(place, `${home}/${relative}`);
    isYoung = removeLeftovers(directory, owner, nowMs) || isYoung;
  }
  return isYoung;
}

/** A file that is a mount point cannot be replaced by a rename. */
function isRenameRefused(write: () => void): boolean {
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
  withFileErrors(shown, () => {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      // Truncated last, so that a full disk does not leave an empty file.
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
      ftruncateSync(fd, bytes.length);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}

interface FileLocation extends Disposable {
  readonly directory: Directory;
  readonly name: string;
}

/** The directory that contains the file, or would contain it, and its name there. */
function openLocation(home: string, relative: string, shown: string, owner: Owner): FileLocation {
  const path = userPath(home, relative);
  const directory = openParent(home, relative, path, shown, owner);
  const name = basename(path ?? relative);
  return { directory, name, [Symbol.dispose]: () => directory[Symbol.dispose]() };
}

function openParent(
  home: string,
  relative: string,
  path: string | undefined,
  shown: string,
  owner: Owner,
): Directory {
  const above = dirname(relative);
  const parent = path === undefined ? userPath(home, above) : dirname(path);
  if (parent === undefined) {
    const top = openIfExists(home, constants.O_RDONLY | constants.O_DIRECTORY, home);
    if (top === undefined) throw new FileError('failed', home, 'does not exist');
    using opened = new Directory(top, home);
    return opened.makeDirectory(above, { owner });
  }
  return openUserDirectory(parent, shown);
}
