// Resolves paths below the user's home. Dotfiles are often links to another directory, and that can be a workspace: an agent
// that can replace a file there must not be able to point it at a secret. So the first link is followed, and further ones
// only in directories of root.
import { constants, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { Directory } from '../directory.ts';
import { openIfExists } from '../file-content.ts';
import { FileError } from '../file-error.ts';

const maxLinks = 16;

/**
 * The path below `home` with links resolved; undefined if it does not exist. After opening it, the caller must check the
 * descriptor's path, since a name may have been swapped meanwhile. Throws as `readUserFile`.
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
    if (followed >= maxLinks || (followed > 0 && !isRootOwned(current))) {
      throw new FileError('link', shown, 'follows a symbolic link that others could have planted');
    }
    followed += 1;
    const target = readlinkSync(path);
    if (target.startsWith('/')) current = '/';
    rest.unshift(...target.split('/'));
  }
  return current;
}

/** Only root can create a link there; if coi itself runs as root, that proves nothing about the agent. */
function isRootOwned(directory: string): boolean {
  const stat = lstatSync(directory);
  return stat.uid === 0 && (stat.mode & 0o022) === 0 && process.geteuid?.() !== 0;
}

function statOf(path: string, shown: string): ReturnType<typeof lstatSync> | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new FileError(code === 'EACCES' ? 'denied' : 'failed', shown, 'cannot be checked', error);
  }
}

/** Opens a directory that `userPath` returned. Throws FileError if a name was swapped meanwhile; `shown` is the user's path. */
export function openUserDirectory(parent: string, shown: string): Directory {
  const directory = openResolved(parent, { shown: parent, asked: shown });
  if (directory) return directory;
  throw movedError(shown);
}

/** Opens a directory by a path without links; undefined if it is missing. Throws FileError if a name was swapped meanwhile. */
export function openResolved(
  path: string,
  { shown, asked }: { readonly shown: string; readonly asked: string },
): Directory | undefined {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const fd = openIfExists(path, flags, shown);
  if (fd === undefined) return undefined;
  const directory = new Directory(fd, shown);
  // The path was resolved by name, so the opened directory must be checked.
  if (directory.realPath() === path) return directory;
  directory[Symbol.dispose]();
  throw movedError(asked);
}

function movedError(shown: string): FileError {
  return new FileError('failed', shown, 'was moved while it was being opened');
}
