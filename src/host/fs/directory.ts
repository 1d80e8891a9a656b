// Directories of the host, opened so that somebody with write access cannot redirect us: each step starts from an open
// directory and follows no link, and only regular files are read.
// Node has no openat(2); `/proc/self/fd/<fd>/<name>` is equivalent (proc(5)).
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  futimesSync,
  mkdirSync,
  opendirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { O_PATH } from '../linux/constants.ts';
import {
  appendToFile,
  chownIfRoot,
  createFile,
  type FileContent,
  type Owner,
  openIfExists,
  openRegularFile,
  readContent,
  readPrefix,
  readSuffix,
  type WriteOptions,
} from './file-content.ts';
import { FileError, type FileKind, kindOf, withFileErrors } from './file-error.ts';
import { temporaryName } from './temporary-name.ts';

export interface Entry {
  readonly name: string;
  readonly kind: FileKind;
}

/** An open directory. Names below it may have several components; no component may be a link. */
export class Directory implements Disposable {
  readonly path: string;
  readonly #fd: number;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.path = path;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  stat(): Stats {
    return fstatSync(this.#fd);
  }

  /** The kernel's path of the descriptor, whatever name it was opened by. */
  realPath(): string {
    return readlinkSync(this.fdPathOfItself);
  }

  /** Its path for system calls, whatever name it has now. */
  get fdPathOfItself(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  /** Opens a directory below; undefined if it is missing. Throws FileError if a component is not a directory. */
  openDirectory(relative: string): Directory | undefined {
    return this.#descend(components(relative, this.path), (parent, name) => parent.#child(name));
  }

  /** Opens a directory below and creates missing components. */
  makeDirectory(relative: string, options: { mode?: number; owner?: Owner } = {}): Directory {
    const names = components(relative, this.path);
    const made = this.#descend(
      names,
      (parent, name) => parent.#child(name) ?? parent.#make(name, options),
    );
    if (made) return made;
    throw new FileError(
      'failed',
      this.displayPath(relative),
      'disappeared while it was being created',
    );
  }

  /** Reads a regular file of at most `maxBytes`; undefined if it is missing. Never blocks, never follows a link. */
  read(relative: string, { maxBytes }: { maxBytes: number }): FileContent | undefined {
    return this.#readPart(relative, (fd, shown) => readContent(fd, shown, maxBytes));
  }

  /** Like `read`, for the first `maxBytes` of a file of any length. */
  readHead(relative: string, { maxBytes }: { maxBytes: number }): Buffer | undefined {
    return this.#readPart(relative, (fd, shown) => readPrefix(fd, shown, maxBytes));
  }

  /** Like `read`, for the last `maxBytes` of a file of any length, but nothing before the offset `from`. */
  readTail(
    relative: string,
    { maxBytes, from = 0 }: { maxBytes: number; from?: number },
  ): Buffer | undefined {
    return this.#readPart(relative, (fd, shown) => readSuffix(fd, shown, maxBytes, from));
  }

  /**
   * Writes a file atomically: readers see the old content or the new. A link of that name is replaced, not followed.
   * False if `onlyIf` returned false.
   */
  write(relative: string, content: string | Uint8Array, options: WriteOptions = {}): boolean {
    const shown = this.displayPath(relative);
    const written = this.#within(relative, (parent, name) =>
      withFileErrors(shown, () => parent.#replace(name, content, options)),
    );
    if (written !== undefined) return written;
    throw new FileError('failed', shown, 'cannot be written: its directory is missing');
  }

  /** Appends to a regular file, which is created if it is missing. Returns its size afterwards. */
  append(name: string, content: string): number {
    const [single = ''] = components(name, this.path);
    return appendToFile(this.fdPath(single), content, this.displayPath(single));
  }

  /** Names and kinds, unordered, read lazily so that the caller may stop early. */
  *entries(): Generator<Entry, void, void> {
    const directory = withFileErrors(this.path, () =>
      opendirSync(this.fdPathOfItself, { bufferSize: 512 }),
    );
    try {
      for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
        yield { name: entry.name, kind: kindOf(entry) };
      }
    } finally {
      directory.closeSync();
    }
  }

  /** Kind and stat of an entry itself (a link is not followed); undefined if it is missing. */
  entry(relative: string): { readonly kind: FileKind; readonly stat: Stats } | undefined {
    return this.#within(relative, (parent, name) => {
      const flags = O_PATH | constants.O_NOFOLLOW;
      const fd = openIfExists(parent.fdPath(name), flags, this.displayPath(relative));
      if (fd === undefined) return undefined;
      try {
        const stat = fstatSync(fd);
        return { kind: kindOf(stat), stat };
      } finally {
        closeSync(fd);
      }
    });
  }

  /** Creates a directory exclusively; false if the name is taken. */
  createExclusive(name: string, options: { modifiedMs?: number; owner?: Owner } = {}): boolean {
    const [single = ''] = components(name, this.path);
    if (
      !withFileErrors(this.displayPath(single), () => tryMakeDirectory(this.fdPath(single), 0o700))
    )
      return false;
    using made = this.#child(single);
    if (!made) return false;
    chownIfRoot(made.#fd, options.owner);
    if (options.modifiedMs !== undefined)
      futimesSync(made.#fd, options.modifiedMs / 1000, options.modifiedMs / 1000);
    return true;
  }

  /** Removes an empty directory; false if it is not empty, not a directory or missing. */
  removeEmpty(name: string): boolean {
    const [single = ''] = components(name, this.path);
    try {
      rmdirSync(this.fdPath(single));
      return true;
    } catch {
      return false;
    }
  }

  unlink(relative: string): void {
    this.#within(relative, (parent, name) =>
      withFileErrors(this.displayPath(relative), () => unlinkSync(parent.fdPath(name))),
    );
  }

  /** The path of an entry for system calls, relative to the descriptor. */
  fdPath(name: string): string {
    return `${this.fdPathOfItself}/${name}`;
  }

  displayPath(relative: string): string {
    return `${this.path}/${relative}`;
  }

  #readPart<Part>(
    relative: string,
    readFrom: (fd: number, shown: string) => Part,
  ): Part | undefined {
    const shown = this.displayPath(relative);
    return this.#within(relative, (parent, name) => {
      const fd = openRegularFile(parent.fdPath(name), shown);
      if (fd === undefined) return undefined;
      try {
        return readFrom(fd, shown);
      } finally {
        closeSync(fd);
      }
    });
  }

  /** Calls `use` with the entry's parent directory; undefined if that is missing. */
  #within<T>(relative: string, use: (parent: Directory, name: string) => T): T | undefined {
    const names = components(relative, this.path);
    const name = names.pop() ?? '';
    if (names.length === 0) return use(this, name);
    using parent = this.#descend(names, (above, inner) => above.#child(inner));
    return parent && use(parent, name);
  }

  /** Descends by at least one name. */
  #descend(
    names: readonly string[],
    step: (parent: Directory, name: string) => Directory | undefined,
  ): Directory | undefined {
    const [first = '', ...rest] = names;
    let current = step(this, first);
    for (const name of rest) {
      using parent = current;
      current = parent && step(parent, name);
    }
    return current;
  }

  #child(name: string): Directory | undefined {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    const fd = openIfExists(this.fdPath(name), flags, this.displayPath(name));
    return fd === undefined ? undefined : new Directory(fd, this.displayPath(name));
  }

  #make(name: string, options: { mode?: number; owner?: Owner }): Directory | undefined {
    const mode = options.mode ?? 0o700;
    if (!withFileErrors(this.displayPath(name), () => tryMakeDirectory(this.fdPath(name), mode)))
      return this.#child(name);
    const made = this.#child(name);
    if (made) {
      // The umask may have cleared bits, and root hands new entries to their owner.
      fchmodSync(made.#fd, mode);
      chownIfRoot(made.#fd, options.owner);
    }
    return made;
  }

  #replace(name: string, content: string | Uint8Array, options: WriteOptions): boolean {
    const temporary = this.fdPath(temporaryName());
    createFile(temporary, content, options);
    try {
      if (options.onlyIf && !options.onlyIf()) {
        unlinkSync(temporary);
        return false;
      }
      renameSync(temporary, this.fdPath(name));
    } catch (error) {
      unlinkSync(temporary);
      throw error;
    }
    if (options.durable !== false) fsyncSync(this.#fd);
    return true;
  }
}

/** False if it exists: another process may create it at the same moment. */
function tryMakeDirectory(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The components of a relative path. Throws FileError for anything that could lead out of the directory. */
function components(relative: string, path: string): string[] {
  const names = relative.split('/');
  if (
    names.some(
      (name) =>
        name === '' ||
        name === '.' ||
        name === '..' ||
        name.includes('\0') ||
        Buffer.byteLength(name) > 255,
    )
  ) {
    throw new FileError('name', `${path}/${relative}`, 'is not a plain relative path');
  }
  return names;
}
