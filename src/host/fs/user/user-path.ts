// Where a path below the user's home leads. Dotfiles are often kept elsewhere, and such a place can be a workspace: an agent
// that can replace a file there must not be able to point it at another secret. So a link is followed where it stands in the
// home itself or in a directory of root, but not beyond a first one.
import { constants, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { Directory } from '../directory.ts';
import { openedOr } from '../file-content.ts';
import { FileError } from '../file-error.ts';

const maxLinks = 16;

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

/** The directory to which `userPath` led. Throws FileError if a name was exchanged meanwhile; `shown` is what the user named. */
export function openedUserDirectory(parent: string, shown: string): Directory {
  const directory = openedAsNamed(parent, { shown: parent, asked: shown });
  if (directory) return directory;
  throw moved(shown);
}

/** A directory by its path without links; undefined if it is missing. Throws FileError where a name was exchanged meanwhile. */
export function openedAsNamed(
  path: string,
  { shown, asked }: { readonly shown: string; readonly asked: string },
): Directory | undefined {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const fd = openedOr(path, flags, shown);
  if (fd === undefined) return undefined;
  const directory = new Directory(fd, shown);
  // The walk went by names: what was opened has to be what they led to.
  if (directory.realPath() === path) return directory;
  directory[Symbol.dispose]();
  throw moved(asked);
}

function moved(shown: string): FileError {
  return new FileError('failed', shown, 'was moved while it was being opened');
}
