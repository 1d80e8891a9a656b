// Looks at and changes single entries below an open directory, by descriptors that no link and no rename can mislead.
import { isUtf8 } from 'node:buffer';
import {
  closeSync,
  constants,
  type Dirent,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  opendirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmdirSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { O_PATH_DIRECTORY, RESOLVE_NO_XDEV } from '../linux/constants.ts';
import type { Libc } from '../linux/libc.ts';
import { openBelow } from '../linux/open-below.ts';

/** A repository of ten thousand branches has as much in its configuration. */
export const textBytesMax = 1024 * 1024;

const chunkBytes = 16_384;
/** Nothing can be at a name that is too long, which an agent can write into a link or a file of git's. */
const noEntry = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'];

/** Entries below one directory, which is open as long as this is. Paths are relative and plain. */
export class Below implements Disposable {
  readonly #libc: Pick<Libc, 'openat2'>;
  readonly #fd: number;

  /** Takes over the descriptor (O_PATH is enough). */
  constructor(libc: Pick<Libc, 'openat2'>, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  /** A new descriptor (O_PATH) of the entry; undefined if there is none, or a part of the way is a link. The last part may be one. */
  open(path: string): number | undefined {
    try {
      return openBelow(this.#libc, this.#fd, path);
    } catch (error) {
      if (noEntry.includes((error as { code?: string }).code ?? '')) return undefined;
      throw error;
    }
  }

  /** True where a mount lies over the entry, or over a part of the way: another mount of the directory shows what is below it. */
  isMountedOver(path: string): boolean {
    try {
      closeSync(openBelow(this.#libc, this.#fd, path, { resolve: RESOLVE_NO_XDEV }));
      return false;
    } catch (error) {
      // Whatever else is wrong with it, whoever opens it is told.
      return (error as { code?: string }).code === 'EXDEV';
    }
  }

  /** Runs with a descriptor of the entry, or not at all where there is none. */
  with<T>(path: string, run: (fd: number) => T): T | undefined {
    const fd = this.open(path);
    if (fd === undefined) return undefined;
    try {
      return run(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Of the entry itself, also of a link. */
  stats(path: string): Stats | undefined {
    return this.with(path, (fd) => fstatSync(fd));
  }

  /** Not more than so many, whatever there is. */
  names(path: string, max = Number.POSITIVE_INFINITY): string[] {
    return (
      this.with(path, (fd) => {
        if (!fstatSync(fd).isDirectory()) return [];
        const directory = `/proc/self/fd/${fd}`;
        return max === Number.POSITIVE_INFINITY
          ? readdirSync(directory)
          : firstNames(directory, max);
      }) ?? []
    );
  }

  /** Undefined for what is no regular file or too big. */
  text(path: string): string | undefined {
    return this.with(path, (fd) => {
      return fstatSync(fd).isFile() ? smallText(`/proc/self/fd/${fd}`) : undefined;
    });
  }

  /** What is written in a link; undefined for what is none, and where that is no text. */
  linkText(path: string): string | undefined {
    if (!this.stats(path)?.isSymbolicLink()) return undefined;
    const at = path.lastIndexOf('/');
    return this.with(at < 0 ? '.' : path.slice(0, at), (parent) => {
      try {
        const target = `/proc/self/fd/${parent}/${path.slice(at + 1)}`;
        const bytes = readlinkSync(target, { encoding: 'buffer' });
        // Other bytes would be taken for another name, at which nothing is.
        return isUtf8(bytes) ? bytes.toString() : undefined;
      } catch (error) {
        // Another is there by now, which is no link.
        if (['ENOENT', 'EINVAL'].includes((error as { code?: string }).code ?? ''))
          return undefined;
        throw error;
      }
    });
  }

  /** How much is below a directory, and the links in it by their paths; undefined where that is more, or lies deeper. */
  treeIn(
    path: string,
    depthMax: number,
    entriesMax: number,
  ): { readonly links: readonly string[]; readonly entries: number } | undefined {
    const links: string[] = [];
    const open = [{ directory: path, depth: 0 }];
    let entries = 0;
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { directory, depth } = next;
      for (const entry of this.#entries(directory, entriesMax - entries + 1)) {
        entries += 1;
        const inner = `${directory}/${entry.name}`;
        if (entry.isSymbolicLink()) links.push(inner);
        else if (entry.isDirectory() && depth === depthMax) return undefined;
        else if (entry.isDirectory()) open.push({ directory: inner, depth: depth + 1 });
      }
      if (entries > entriesMax) return undefined;
    }
    return { links, entries };
  }

  #entries(path: string, max: number): Dirent[] {
    const found = this.with(path, (fd) =>
      fstatSync(fd).isDirectory() ? firstEntries(`/proc/self/fd/${fd}`, max) : [],
    );
    return found ?? [];
  }

  /** Makes a file or a directory that is not there yet, with that owner. Throws EEXIST where something is. */
  make(path: string, entry: { kind: 'file' | 'directory'; content: string }, owner: Owner): void {
    const at = path.lastIndexOf('/');
    const name = path.slice(at + 1);
    const made = this.with(at < 0 ? '.' : path.slice(0, at), (parent) => {
      const target = `/proc/self/fd/${parent}/${name}`;
      if (entry.kind === 'directory') makeDirectory(target, owner);
      else makeFile(target, entry.content, owner);
      return true;
    });
    if (!made) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
  }

  /** Removes an empty directory or a file, if it is still the one with that inode; says whether it did. */
  remove(path: string, inode: number): boolean {
    const at = path.lastIndexOf('/');
    const stats = this.stats(path);
    if (stats?.ino !== inode) return false;
    return (
      this.with(at < 0 ? '.' : path.slice(0, at), (parent) => {
        const target = `/proc/self/fd/${parent}/${path.slice(at + 1)}`;
        try {
          if (stats.isDirectory()) rmdirSync(target);
          else unlinkSync(target);
          return true;
        } catch {
          // Somebody put something into it: then it is theirs.
          return false;
        }
      }) ?? false
    );
  }
}

/** Below a directory that stays open apart from this. */
export function belowDescriptor(libc: Pick<Libc, 'openat2'>, fd: number): Below {
  return new Below(libc, openSync(`/proc/self/fd/${fd}`, O_PATH_DIRECTORY));
}

/** Undefined where it is too big, whatever its size was a moment ago: whoever can write it lets it grow meanwhile. */
export function smallText(path: string): string | undefined {
  const fd = openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let total = 0; total <= textBytesMax; ) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const count = readSync(fd, chunk, 0, chunk.length, null);
      if (count === 0) return Buffer.concat(chunks).toString('utf8');
      chunks.push(chunk.subarray(0, count));
      total += count;
    }
    return undefined;
  } finally {
    closeSync(fd);
  }
}

function firstNames(path: string, max: number): string[] {
  return firstEntries(path, max).map(({ name }) => name);
}

function firstEntries(path: string, max: number): Dirent[] {
  const entries: Dirent[] = [];
  const directory = opendirSync(path);
  try {
    for (
      let entry = directory.readSync();
      entry && entries.length < max;
      entry = directory.readSync()
    )
      entries.push(entry);
    return entries;
  } finally {
    directory.closeSync();
  }
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Half of one is none: what could not be finished (a full disk, a quota) is removed again. */
function makeDirectory(target: string, owner: Owner): void {
  mkdirSync(target, { mode: 0o755 });
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const own = (fd: number) => fchownSync(fd, owner.uid, owner.gid);
  finished(
    () => openSync(target, flags),
    own,
    () => rmdirSync(target),
  );
}

function makeFile(target: string, content: string, owner: Owner): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const made = openSync(target, flags, 0o644);
  const fill = (fd: number) => {
    writeFileSync(fd, content);
    fchmodSync(fd, 0o644);
    fchownSync(fd, owner.uid, owner.gid);
  };
  finished(
    () => made,
    fill,
    () => unlinkSync(target),
  );
}

function finished(open: () => number, finish: (fd: number) => void, undo: () => void): void {
  try {
    const fd = open();
    try {
      finish(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    try {
      undo();
    } catch {
      // Somebody took it away or put something into it: then it is theirs.
    }
    throw error;
  }
}
