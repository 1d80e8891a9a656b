// Reads files that a user named in or next to directories that agents write, where a name may change its meaning at any time.
import { closeSync, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FileContent, openRegularFile, readContent } from './file-content.ts';
import { FileError } from './file-error.ts';

const linksMax = 40;

export interface LinkPolicy {
  /**
   * The directories that agents write, grouped by agent: a link that one of them made must stay within its own group.
   * Called only if there is a link.
   */
  readonly writable: () => readonly (readonly string[])[];
  /** Directories that the receiver can see anyway: a link into them reveals nothing. */
  readonly shown?: readonly string[] | undefined;
}

/**
 * Reads a regular file. If its name lies in a directory that an agent writes, the opened file must lie there too, whatever
 * links are on the way; otherwise throws FileError `link`. Undefined if it is missing.
 */
export function readNamedFile(
  path: string,
  reach: LinkPolicy,
  options: { maxBytes: number },
): FileContent | undefined {
  const real = withoutLinks(path);
  const fd = real === undefined ? undefined : openRegularFile(real, path);
  if (fd === undefined) return undefined;
  try {
    refuseEscape(path, readlinkSync(`/proc/self/fd/${fd}`), reach);
    return readContent(fd, path, options.maxBytes);
  } finally {
    closeSync(fd);
  }
}

/**
 * A writer of a directory can point a name in it to a file that it cannot read itself, of the user or of another session.
 * `opened` is the real path of the opened file. Throws FileError `link` if that left the directory of the name.
 */
export function refuseEscape(
  path: string,
  opened: string,
  { writable, shown = [] }: LinkPolicy,
): void {
  // No link was involved, or it was gone before the file was opened.
  if (opened === path || isBelow(opened, shown)) return;
  const groups = writable();
  if (groups.length === 0) return;
  const way = tracePath(path, groups);
  const left = [...way.entered].find((group) => !isBelow(opened, groups[group] ?? []));
  if (left === undefined && !way.isIncomplete) return;
  const link = left === undefined ? undefined : way.links.get(left);
  const which = link === undefined ? '' : `: ${shownPath(link)} leads to ${shownPath(opened)}`;
  throw new FileError(
    'link',
    path,
    `follows a symbolic link out of a directory that a session can write (the link may be planted)${which}`,
  );
}

/** Whether resolving a path, including its links, enters one of these directories: their writers control where it leads. */
export function pathEnters(path: string, directories: readonly string[]): boolean {
  const { entered, isIncomplete: isUnclear } = tracePath(path, [directories]);
  return entered.size > 0 || isUnclear;
}

interface PathTrace {
  /** Indices of the groups whose directories the path enters, even if it leaves them again. */
  readonly entered: ReadonlySet<number>;
  /** By group: the last link that lies in one of its directories. */
  readonly links: ReadonlyMap<number, string>;
  /** Part of the path could not be read. */
  readonly isIncomplete: boolean;
}

function tracePath(path: string, groups: readonly (readonly string[])[]): PathTrace {
  const tops = groups.flatMap((group, index) =>
    group.map((directory) => ({ index, stats: statOrReason(() => statSync(directory)) })),
  );
  const entered = new Set<number>();
  const links = new Map<number, string>();
  /** Paths without links at which the directories were entered. */
  const met: { readonly index: number; readonly at: string }[] = [];
  const ended = (isUnclear: boolean): PathTrace => ({ entered, links, isIncomplete: isUnclear });
  const ahead = path.split('/');
  let at = '/';
  for (let followed = 0; followed <= linksMax; ) {
    const name = ahead.shift();
    if (name === undefined) return ended(false);
    if (name === '' || name === '.') continue;
    const next = name === '..' ? dirname(at) : `${at === '/' ? '' : at}/${name}`;
    const stats = statOrReason(() => lstatSync(next));
    if (stats === 'missing') return ended(false);
    if (stats === 'closed') return ended(true);
    if (!stats.isSymbolicLink()) {
      for (const { index, stats: top } of tops) {
        if (typeof top === 'string' || !isSameFile(top, stats)) continue;
        entered.add(index);
        met.push({ index, at: next });
      }
      at = next;
      continue;
    }
    for (const { index, at: top } of met) if (isBelow(next, [top])) links.set(index, next);
    followed += 1;
    const target = readlinkSync(next);
    if (target.startsWith('/')) at = '/';
    ahead.unshift(...target.split('/'));
  }
  return ended(true);
}

function isBelow(path: string, directories: readonly string[]): boolean {
  return directories.some((directory) => {
    const top = withoutLinks(directory) ?? directory;
    return path === top || path.startsWith(top === '/' ? top : `${top}/`);
  });
}

function statOrReason(ask: () => Stats): Stats | 'missing' | 'closed' {
  try {
    return ask();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'closed';
  }
}

function isSameFile(one: Stats, other: Stats): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

/** Quoted: an agent chose the name, which must not add lines to the output. */
function shownPath(path: string): string {
  return JSON.stringify(path);
}

function withoutLinks(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
