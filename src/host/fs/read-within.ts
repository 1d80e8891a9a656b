// Files, directories and sockets that a user named, in or beside directories that an agent writes, where a name may lead
// elsewhere a moment later.
import { closeSync, lstatSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { contentOf, type FileContent, openedFile } from './file-content.ts';
import { FileError } from './file-error.ts';

const linksMax = 40;

export interface Reach {
  /**
   * What agents write, those of each by itself: a link that one of them made has to stay among its own directories.
   * Asked only where there is a link.
   */
  readonly writable: () => readonly (readonly string[])[];
  /** What the receiver has before its eyes anyway: a link that leads there gives nothing away. */
  readonly shown?: readonly string[] | undefined;
}

/**
 * Reads a regular file. One whose name lies in a directory that an agent writes has to lie there itself, whatever links
 * it is reached by: that is asked of the opened file. Undefined if it is missing. Throws FileError, `link` for that.
 */
export function readNamed(
  path: string,
  reach: Reach,
  options: { maxBytes: number },
): FileContent | undefined {
  const real = withoutLinks(path);
  const fd = real === undefined ? undefined : openedFile(real, path);
  if (fd === undefined) return undefined;
  try {
    refuseLedOut(path, readlinkSync(`/proc/self/fd/${fd}`), reach);
    return contentOf(fd, path, options.maxBytes);
  } finally {
    closeSync(fd);
  }
}

/**
 * Whoever writes in a directory says where a name in there leads: to a file of the user's, or another session's, that it
 * cannot read itself. `opened` is where what was opened lies. Throws FileError `link` if that is not where the name is.
 */
export function refuseLedOut(path: string, opened: string, { writable, shown = [] }: Reach): void {
  // No link had a part in it, or it was over before anything was opened.
  if (opened === path || isBelow(opened, shown)) return;
  const groups = writable();
  if (groups.length === 0) return;
  const way = wayTo(path, groups);
  const left = [...way.entered].find((group) => !isBelow(opened, groups[group] ?? []));
  if (left === undefined && !way.isUnclear) return;
  const link = left === undefined ? undefined : way.links.get(left);
  const which = link === undefined ? '' : `: ${shownPath(link)} leads to ${shownPath(opened)}`;
  throw new FileError(
    'link',
    path,
    `leads over a symbolic link out of a directory that a session can write, which could have placed it${which}`,
  );
}

/** Whether the way to a path, links and all, enters one of these directories: who writes there says where it leads. */
export function leadsThrough(path: string, directories: readonly string[]): boolean {
  const { entered, isUnclear } = wayTo(path, [directories]);
  return entered.size > 0 || isUnclear;
}

interface Way {
  /** Indices of the groups of directories that it enters, if only to leave them again. */
  readonly entered: ReadonlySet<number>;
  /** The last link that lies in one of the directories of each. */
  readonly links: ReadonlyMap<number, string>;
  /** Some of it could not be looked at, and may be anything. */
  readonly isUnclear: boolean;
}

function wayTo(path: string, groups: readonly (readonly string[])[]): Way {
  const tops = groups.flatMap((group, index) =>
    group.map((directory) => ({ index, stats: stated(() => statSync(directory)) })),
  );
  const entered = new Set<number>();
  const links = new Map<number, string>();
  /** Where the directories were met, under the names that have no links. */
  const met: { readonly index: number; readonly at: string }[] = [];
  const ended = (isUnclear: boolean): Way => ({ entered, links, isUnclear });
  const ahead = path.split('/');
  let at = '/';
  for (let followed = 0; followed <= linksMax; ) {
    const name = ahead.shift();
    if (name === undefined) return ended(false);
    if (name === '' || name === '.') continue;
    const next = name === '..' ? dirname(at) : `${at === '/' ? '' : at}/${name}`;
    const stats = stated(() => lstatSync(next));
    if (stats === 'missing') return ended(false);
    if (stats === 'closed') return ended(true);
    if (!stats.isSymbolicLink()) {
      for (const { index, stats: top } of tops) {
        if (typeof top === 'string' || !isOne(top, stats)) continue;
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

/** An agent chose what it is called: it must not draw lines of its own. */
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
