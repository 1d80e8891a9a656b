// Files of the user's home that may be links, because dotfiles are often kept elsewhere. Such a place can be a
// workspace, and an agent that can replace a file there must not be able to point it at another secret:
// so a link is followed where it stands in the home itself or in a directory of root, but not beyond a first one.
import { closeSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { contentOf, type FileContent, openedFile } from './content.ts';
import { FileError } from './file-error.ts';

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
