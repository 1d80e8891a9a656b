// Directories of the host and what is in them, opened so that nobody who can write in them steers us elsewhere:
// each step is taken from an opened directory and follows no link, and only regular files are read.
// Node has no openat(2); `/proc/self/fd/<fd>/<name>` names the same thing (proc(5)).

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  opendirSync,
  openSync,
  readlinkSync,
  renameSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import {
  contentOf,
  type FileContent,
  giveAway,
  type Owner,
  openedFile,
  openedOr,
  openPath,
  type WriteOptions,
  writeNew,
} from './content.ts';
import { attempt, FileError, type FileKind, kindOf } from './file-error.ts';

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
    const names = components(relative, this.path);
    return this.#descend(names, (parent, name) => parent.#child(name));
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
    const { directories, name } = split(relative, this.path);
    using parent = this.#inner(directories);
    const shown = this.shown(relative);
    const fd = parent && openedFile(parent.at(name), shown);
    if (fd === undefined) return undefined;
    try {
      return contentOf(fd, shown, options.maxBytes);
    } finally {
      closeSync(fd);
    }
  }

  /** Writes a file as a whole: readers see the old one or the new one. A link of that name is replaced, not followed. */
  write(relative: string, content: string | Uint8Array, options: WriteOptions = {}): void {
    const { directories, name } = split(relative, this.path);
    const shown = this.shown(relative);
    using parent = this.#inner(directories);
    if (!parent) throw new FileError('failed', shown, 'has no directory to be written in');
    const temporary = parent.at(`.coi-${randomBytes(8).toString('hex')}`);
    attempt(shown, () => {
      writeNew(temporary, content, options);
      try {
        renameSync(temporary, parent.at(name));
      } catch (error) {
        unlinkSync(temporary);
        throw error;
      }
      if (options.durable !== false) fsyncSync(parent.#fd);
    });
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
    const { directories, name } = split(relative, this.path);
    using parent = this.#inner(directories);
    const fd =
      parent && openedOr(parent.at(name), openPath | constants.O_NOFOLLOW, this.shown(relative));
    if (fd === undefined) return undefined;
    try {
      const stat = fstatSync(fd);
      return { kind: kindOf(stat), stat };
    } finally {
      closeSync(fd);
    }
  }

  unlink(name: string): void {
    components(name, this.path);
    attempt(this.shown(name), () => unlinkSync(this.at(name)));
  }

  rename(from: string, to: string): void {
    for (const name of [from, to]) components(name, this.path);
    attempt(this.shown(from), () => renameSync(this.at(from), this.at(to)));
  }

  /** The name of an entry for system calls: relative to the descriptor. */
  at(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`;
  }

  shown(relative: string): string {
    return `${this.path}/${relative}`;
  }

  #inner(names: readonly string[]): Directory | undefined {
    return this.#descend(names, (parent, name) => parent.#child(name));
  }

  #descend(
    names: readonly string[],
    step: (parent: Directory, name: string) => Directory | undefined,
  ): Directory | undefined {
    let current = new Directory(
      openSync(`/proc/self/fd/${this.#fd}`, constants.O_RDONLY | constants.O_DIRECTORY),
      this.path,
    );
    for (const name of names) {
      using parent = current;
      const next = step(parent, name);
      if (!next) return undefined;
      current = next;
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
    attempt(this.shown(name), () => mkdirSync(this.at(name), { mode }));
    const made = this.#child(name);
    if (made) {
      // The umask may have taken bits away, and root gives what it makes to its owner.
      fchmodSync(made.#fd, mode);
      giveAway(made.#fd, options.owner);
    }
    return made;
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

function split(relative: string, path: string): { directories: string[]; name: string } {
  const directories = components(relative, path);
  return { name: directories.pop() ?? '', directories };
}
