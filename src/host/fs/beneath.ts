// Reads and changes single entries below an open directory, through descriptors, so that links and renames cannot redirect it.
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

/** The configuration of a repository with ten thousand branches is about this large. */
export const textBytesMax = 1024 * 1024;

const chunkBytes = 16_384;
/** A name that is too long cannot exist, but an agent can write one into a link or a git file. */
const missingCodes = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'];

/** Entries below one directory, which stays open until this is disposed. Paths are relative, without `.` and `..`. */
export class Beneath implements Disposable {
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

  /** A new descriptor (O_PATH) of the entry; undefined if it is missing or if a parent directory is a link. The last component may be a link. */
  open(path: string): number | undefined {
    try {
      return openBelow(this.#libc, this.#fd, path);
    } catch (error) {
      if (missingCodes.includes((error as { code?: string }).code ?? '')) return undefined;
      throw error;
    }
  }

  /** True where something is mounted on the entry or on one of its parents: the entry below it is visible through another mount. */
  isMountedOver(path: string): boolean {
    try {
      closeSync(openBelow(this.#libc, this.#fd, path, { resolve: RESOLVE_NO_XDEV }));
      return false;
    } catch (error) {
      // Other errors are reported when the entry is opened.
      return (error as { code?: string }).code === 'EXDEV';
    }
  }

  /** Calls `run` with a descriptor of the entry; does nothing if the entry is missing. */
  with<T>(path: string, run: (fd: number) => T): T | undefined {
    const fd = this.open(path);
    if (fd === undefined) return undefined;
    try {
      return run(fd);
    } finally {
      closeSync(fd);
    }
  }

  /** Like lstat: describes a link itself. */
  stats(path: string): Stats | undefined {
    return this.with(path, (fd) => fstatSync(fd));
  }

  /** Names in a directory, at most `max`. */
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

  /** Undefined unless it is a regular file of at most `textBytesMax`. */
  text(path: string): string | undefined {
    return this.with(path, (fd) => {
      return fstatSync(fd).isFile() ? smallText(`/proc/self/fd/${fd}`) : undefined;
    });
  }

  /** The target of a link; undefined if the entry is not a link or its target is not UTF-8. */
  linkText(path: string): string | undefined {
    if (!this.stats(path)?.isSymbolicLink()) return undefined;
    const at = path.lastIndexOf('/');
    return this.with(at < 0 ? '.' : path.slice(0, at), (parent) => {
      try {
        const target = `/proc/self/fd/${parent}/${path.slice(at + 1)}`;
        const bytes = readlinkSync(target, { encoding: 'buffer' });
        // Decoding other bytes would produce a different name.
        return isUtf8(bytes) ? bytes.toString() : undefined;
      } catch (error) {
        // The link was replaced by something else.
        if (['ENOENT', 'EINVAL'].includes((error as { code?: string }).code ?? ''))
          return undefined;
        throw error;
      }
    });
  }

  /** The number of entries below a directory and the paths of its links; undefined beyond either limit. */
  scanTree(
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

  /** Creates a file or a directory with that owner. Throws EEXIST if the name is taken. */
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

  /** Removes an empty directory or a file if it still has that inode. True if it was removed. */
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
          // No longer empty: it belongs to whoever filled it.
          return false;
        }
      }) ?? false
    );
  }
}

/** For a directory whose own descriptor stays open independently. */
export function openBeneathDescriptor(libc: Pick<Libc, 'openat2'>, fd: number): Beneath {
  return new Beneath(libc, openSync(`/proc/self/fd/${fd}`, O_PATH_DIRECTORY));
}

/** Undefined if the file is too big. Its size is not trusted: a writer may let it grow meanwhile. */
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

/** Removed again if it cannot be completed (full disk, quota). */
function makeDirectory(target: string, owner: Owner): void {
  mkdirSync(target, { mode: 0o755 });
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  const own = (fd: number) => fchownSync(fd, owner.uid, owner.gid);
  finishOrUndo(
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
  finishOrUndo(
    () => made,
    fill,
    () => unlinkSync(target),
  );
}

function finishOrUndo(open: () => number, finish: (fd: number) => void, undo: () => void): void {
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
      // Already removed, or filled by somebody else, who now owns it.
    }
    throw error;
  }
}
