// Directories of the host and what is in them, opened so that nobody who can write in them steers us elsewhere:
// each step is taken from an opened directory and follows no link, and only regular files are read.
// Node has no openat(2); `/proc/self/fd/<fd>/<name>` names the same thing (proc(5)).
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
  contentOf,
  type FileContent,
  giveAway,
  headOf,
  type Owner,
  openedFile,
  openedOr,
  type WriteOptions,
  writeNew,
} from './file-content.ts';
import { attempt, FileError, type FileKind, kindOf } from './file-error.ts';
import { temporaryName } from './temporary-name.ts';

export interface Entry {
  readonly name: string;
  readonly kind: FileKind;
}

/** An opened directory. Names below it may have several components; no component may be a link. */
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

  /** The path that the kernel knows for this directory: that of the descriptor, not of the name it was asked by. */
  realPath(): string {
    return readlinkSync(`/proc/self/fd/${this.#fd}`);
  }

  /** Opens a directory below; undefined if it is missing. Throws FileError if a component is no directory. */
  directory(relative: string): Directory | undefined {
    return this.#descend(components(relative, this.path), (parent, name) => parent.#child(name));
  }

  /** Opens a directory below and makes what is missing of it. */
  makeDirectory(relative: string, options: { mode?: number; owner?: Owner } = {}): Directory {
    const names = components(relative, this.path);
    const made = this.#descend(
      names,
      (parent, name) => parent.#child(name) ?? parent.#make(name, options),
    );
    if (made) return made;
    throw new FileError('failed', this.shown(relative), 'vanished while it was being made');
  }

  /** Reads a regular file of at most `maxBytes`; undefined if it is missing. Never blocks, never follows a link. */
  read(relative: string, options: { maxBytes: number }): FileContent | undefined {
    const shown = this.shown(relative);
    return this.#within(relative, (parent, name) => {
      const fd = openedFile(parent.at(name), shown);
      if (fd === undefined) return undefined;
      try {
        return contentOf(fd, shown, options.maxBytes);
      } finally {
        closeSync(fd);
      }
    });
  }

  /** The same for the first `maxBytes` of a file of any length. */
  readHead(relative: string, { maxBytes }: { maxBytes: number }): Buffer | undefined {
    const shown = this.shown(relative);
    return this.#within(relative, (parent, name) => {
      const fd = openedFile(parent.at(name), shown);
      if (fd === undefined) return undefined;
      try {
        return headOf(fd, shown, maxBytes);
      } finally {
        closeSync(fd);
      }
    });
  }

  /**
   * Writes a file as a whole: readers see the old one or the new one. A link of that name is replaced, not followed.
   * False if `onlyIf` was against it.
   */
  write(relative: string, content: string | Uint8Array, options: WriteOptions = {}): boolean {
    const shown = this.shown(relative);
    const written = this.#within(relative, (parent, name) =>
      attempt(shown, () => parent.#replace(name, content, options)),
    );
    if (written !== undefined) return written;
    throw new FileError('failed', shown, 'has no directory to be written in');
  }

  /** Names and kinds, in no order, read as they are asked for: whoever has seen enough stops. */
  *entries(): Generator<Entry, void, void> {
    const directory = attempt(this.path, () =>
      opendirSync(`/proc/self/fd/${this.#fd}`, { bufferSize: 512 }),
    );
    try {
      for (let entry = directory.readSync(); entry; entry = directory.readSync()) {
        yield { name: entry.name, kind: kindOf(entry) };
      }
    } finally {
      directory.closeSync();
    }
  }

  /** State of an entry itself (a link is not followed); undefined if it is missing. */
  entry(relative: string): { readonly kind: FileKind; readonly stat: Stats } | undefined {
    return this.#within(relative, (parent, name) => {
      const flags = O_PATH | constants.O_NOFOLLOW;
      const fd = openedOr(parent.at(name), flags, this.shown(relative));
      if (fd === undefined) return undefined;
      try {
        const stat = fstatSync(fd);
        return { kind: kindOf(stat), stat };
      } finally {
        closeSync(fd);
      }
    });
  }

  /** Makes a directory that only one can make; false if something of that name is there. */
  claim(name: string, options: { modifiedMs?: number; owner?: Owner } = {}): boolean {
    const [single = ''] = components(name, this.path);
    if (!attempt(this.shown(single), () => madeDirectory(this.at(single), 0o700))) return false;
    using made = this.#child(single);
    if (!made) return false;
    giveAway(made.#fd, options.owner);
    if (options.modifiedMs !== undefined)
      futimesSync(made.#fd, options.modifiedMs / 1000, options.modifiedMs / 1000);
    return true;
  }

  /** Takes an empty directory away; false if it is none, or not there. */
  unclaim(name: string): boolean {
    const [single = ''] = components(name, this.path);
    try {
      rmdirSync(this.at(single));
      return true;
    } catch {
      return false;
    }
  }

  unlink(relative: string): void {
    this.#within(relative, (parent, name) =>
      attempt(this.shown(relative), () => unlinkSync(parent.at(name))),
    );
  }

  /** The name of an entry for system calls: relative to the descriptor. */
  at(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`;
  }

  shown(relative: string): string {
    return `${this.path}/${relative}`;
  }

  /** Runs `use` in the directory that holds the entry; undefined if there is none. */
  #within<T>(relative: string, use: (parent: Directory, name: string) => T): T | undefined {
    const names = components(relative, this.path);
    const name = names.pop() ?? '';
    if (names.length === 0) return use(this, name);
    using parent = this.#descend(names, (above, inner) => above.#child(inner));
    return parent && use(parent, name);
  }

  /** Goes down by at least one name. */
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
    const fd = openedOr(this.at(name), flags, this.shown(name));
    return fd === undefined ? undefined : new Directory(fd, this.shown(name));
  }

  #make(name: string, options: { mode?: number; owner?: Owner }): Directory | undefined {
    const mode = options.mode ?? 0o700;
    if (!attempt(this.shown(name), () => madeDirectory(this.at(name), mode)))
      return this.#child(name);
    const made = this.#child(name);
    if (made) {
      // The umask may have taken bits away, and root gives what it makes to its owner.
      fchmodSync(made.#fd, mode);
      giveAway(made.#fd, options.owner);
    }
    return made;
  }

  #replace(name: string, content: string | Uint8Array, options: WriteOptions): boolean {
    const temporary = this.at(temporaryName());
    writeNew(temporary, content, options);
    try {
      if (options.onlyIf && !options.onlyIf()) {
        unlinkSync(temporary);
        return false;
      }
      renameSync(temporary, this.at(name));
    } catch (error) {
      unlinkSync(temporary);
      throw error;
    }
    if (options.durable !== false) fsyncSync(this.#fd);
    return true;
  }
}

/** False if it is there already: another process may make the same one at the same moment. */
function madeDirectory(path: string, mode: number): boolean {
  try {
    mkdirSync(path, { mode });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** The names of a relative path. Throws FileError for anything that could lead out of the directory. */
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
    throw new FileError('name', `${path}/${relative}`, 'is no plain path below its directory');
  }
  return names;
}
