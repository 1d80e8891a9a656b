// Files of the user's home that may be links, because dotfiles are often kept elsewhere. Such a place can be a
// workspace, and an agent that can replace a file there must not be able to point it at another secret:
// so a link is followed where it stands in the home itself or in a directory of root, but not beyond a first one.
import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { contentOf, type FileContent, type Owner, openedFile, openedOr } from './content.ts';
import { Directory } from './directory.ts';
import { attempt, FileError } from './file-error.ts';

const maxLinks = 16;

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
  /** A directory beside the file that programs of the user make while they change it, and when it counts as left behind. */
  readonly lock?: { readonly name: string; readonly staleMs: number; readonly nowMs: number };
}

/**
 * Changes a file of the user's own as a whole, where it is or where the user's link leads; what is missing is made.
 * False if a program of the user is about to change it itself. Throws FileError as for reading.
 */
export function changeUserFile(
  home: string,
  relative: string,
  change: (text: string | undefined) => string | undefined,
  { maxBytes, owner, lock }: UserChange,
): boolean {
  const shown = `${home}/${relative}`;
  using directory = placeOf(home, relative, shown, owner);
  const name = basename(userPath(home, relative) ?? relative);
  const lockPath = lock && directory.at(lock.name);
  if (lockPath !== undefined && !locked(lockPath, lock?.staleMs ?? 0, lock?.nowMs ?? 0, shown))
    return false;
  try {
    const before = directory.read(name, { maxBytes });
    const after = change(before?.text);
    if (after !== undefined && after !== before?.text) {
      const mode = before ? before.mode & 0o700 : 0o600;
      const write = () => directory.write(name, after, { owner, mode });
      if (isRefusedRename(write)) writeInPlace(directory.at(name), after, shown);
    }
  } finally {
    if (lockPath !== undefined) rmdirSync(lockPath);
  }
  return true;
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

/** The directory that the file is in, or would be. */
function placeOf(home: string, relative: string, shown: string, owner: Owner): Directory {
  const above = dirname(relative);
  const path = userPath(home, relative);
  const parent = path === undefined ? userPath(home, above) : dirname(path);
  if (parent === undefined) {
    const top = openedOr(home, constants.O_RDONLY | constants.O_DIRECTORY, home);
    if (top === undefined) throw new FileError('failed', home, 'does not exist');
    using opened = new Directory(top, home);
    return opened.makeDirectory(above, { owner });
  }
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const fd = openedOr(parent, flags, parent);
  const directory = fd === undefined ? undefined : new Directory(fd, parent);
  // The walk went by names: what was opened has to be what they led to.
  if (directory?.realPath() === parent) return directory;
  directory?.[Symbol.dispose]();
  throw new FileError('failed', shown, 'was moved while it was being opened');
}

function locked(path: string, staleMs: number, nowMs: number, shown: string): boolean {
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

/**
 * Where a path below `home` leads, without links; undefined if there is nothing. Who opens it sees from its descriptor
 * whether a name was exchanged meanwhile. Throws as `readUserFile`.
 */
export function userPath(home: string, relative: string): string | undefined {
  const shown = `${home}/${relative}`;
  const rest = relative.split('/');
  let current: string;
  try {
    current = realpathSync(home);
  } catch {
    return undefined;
  }
  let followed = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      current = dirname(current);
      continue;
    }
    const path = current === '/' ? `/${name}` : `${current}/${name}`;
    const stat = statOf(path, shown);
    if (!stat) return undefined;
    if (!stat.isSymbolicLink()) {
      current = path;
      continue;
    }
    if (followed >= maxLinks || (followed > 0 && !standsWithRoot(current))) {
      throw new FileError(
        'link',
        shown,
        'leads over a symbolic link that others could have placed',
      );
    }
    followed += 1;
    const target = readlinkSync(path);
    if (target.startsWith('/')) current = '/';
    rest.unshift(...target.split('/'));
  }
  return current;
}

/** Nobody but root can place a link there; when coi itself runs as root that tells nothing about the agent. */
function standsWithRoot(directory: string): boolean {
  const stat = lstatSync(directory);
  return stat.uid === 0 && (stat.mode & 0o022) === 0 && process.geteuid?.() !== 0;
}

function statOf(path: string, shown: string): ReturnType<typeof lstatSync> | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new FileError(
      code === 'EACCES' ? 'denied' : 'failed',
      shown,
      'cannot be looked at',
      error,
    );
  }
}
