// Files and sockets that a user named, in or beside directories that an agent writes, where a name may lead elsewhere a
// moment later.
import { closeSync, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { contentOf, type FileContent, openedFile } from './content.ts';
import { FileError } from './file-error.ts';

const linksMax = 40;

/**
 * Reads a regular file. One whose name lies in a directory that an agent writes has to lie there itself, whatever links
 * it is reached by: that is asked of the opened file. Undefined if it is missing. Throws FileError, `link` for that.
 */
export function readNamed(
  path: string,
  writable: readonly string[],
  options: { maxBytes: number },
): FileContent | undefined {
  const real = withoutLinks(path);
  const fd = real === undefined ? undefined : openedFile(real, path);
  if (fd === undefined) return undefined;
  try {
    const opened = readlinkSync(`/proc/self/fd/${fd}`);
    const tops = [...new Set(writable.map((top) => withoutLinks(top) ?? top))];
    if (!tops.some((top) => opened.startsWith(`${top}/`)) && leadsThrough(path, writable))
      throw new FileError(
        'link',
        path,
        'leads over a symbolic link out of a directory that a session can write, which could have placed it',
      );
    return contentOf(fd, path, options.maxBytes);
  } finally {
    closeSync(fd);
  }
}

/** Whether the way to a path, links and all, enters one of these directories: who writes there says where it leads. */
export function leadsThrough(path: string, directories: readonly string[]): boolean {
  const found = directories.map((directory) => stated(() => statSync(directory)));
  const ahead = path.split('/');
  let at = '/';
  for (let links = 0; links <= linksMax; ) {
    const name = ahead.shift();
    if (name === undefined) return false;
    if (name === '' || name === '.') continue;
    const next = name === '..' ? dirname(at) : `${at === '/' ? '' : at}/${name}`;
    const stats = stated(() => lstatSync(next));
    if (stats === 'missing') return false;
    // What cannot be looked at may be anything.
    if (stats === 'closed') return true;
    if (!stats.isSymbolicLink()) {
      if (found.some((one) => typeof one !== 'string' && isOne(one, stats))) return true;
      at = next;
      continue;
    }
    links += 1;
    const target = readlinkSync(next);
    if (target.startsWith('/')) at = '/';
    ahead.unshift(...target.split('/'));
  }
  return true;
}

function stated(ask: () => Stats): Stats | 'missing' | 'closed' {
  try {
    return ask();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'closed';
  }
}

function isOne(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

function withoutLinks(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
