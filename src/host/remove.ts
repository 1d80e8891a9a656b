// Removing what a container may have filled: any depth, any number, names that are no text, directories without rights.
// Nested directories are moved up next to each other first, so that depth costs neither descriptors nor stack.

import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  opendirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { chmodEntry, openPath } from './content.ts';
import type { Directory } from './directory.ts';
import { attempt, FileError } from './file-error.ts';

/** Other work of the process gets a turn after so many entries. */
const turnEntries = 500;
/** A directory that is never empty is being filled by somebody. */
const passesMax = 100;
const shredMaxBytes = 2 ** 20;

/** Removes an entry and all below it, never following a link. Throws FileError. */
export async function removeTree(
  parent: Directory,
  name: string,
  options: { signal?: AbortSignal } = {},
): Promise<void> {
  const entry = parent.entry(name);
  if (!entry) return;
  if (entry.kind !== 'directory') return parent.unlink(name);
  const flat = new FlatRemoval(opened(parent, name), options.signal);
  try {
    await flat.empty();
  } finally {
    flat.close();
  }
  attempt(parent.shown(name), () => rmdirSync(parent.at(name)));
}

/** Overwrites a regular file (its first MiB) before its name is taken away: for credentials. */
export function shred(parent: Directory, name: string): void {
  const fd = openSync(parent.at(name), openPath | constants.O_NOFOLLOW);
  try {
    const stat = fstatSync(fd);
    if (stat.isFile() && stat.size > 0)
      overwrite(`/proc/self/fd/${fd}`, Math.min(stat.size, shredMaxBytes));
  } finally {
    closeSync(fd);
  }
  parent.unlink(name);
}

function overwrite(path: string, size: number): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeSync(fd, Buffer.alloc(size));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

class FlatRemoval {
  readonly #root: Directory;
  readonly #signal: AbortSignal | undefined;
  /** Directories that were moved up into the root, not yet emptied. */
  readonly #moved = new Set<string>();
  /** Nobody who planted names could know it. */
  readonly #prefix = `.coi-removed-${randomBytes(8).toString('hex')}-`;
  #count = 0;

  constructor(root: Directory, signal: AbortSignal | undefined) {
    this.#root = root;
    this.#signal = signal;
  }

  async empty(): Promise<void> {
    await this.#emptied(this.#root);
    // A set is walked in order of insertion and sees what is added meanwhile.
    for (const name of this.#moved) {
      using directory = opened(this.#root, name);
      await this.#emptied(directory);
      attempt(this.#root.path, () => rmdirSync(this.#root.at(name)));
    }
  }

  close(): void {
    this.#root[Symbol.dispose]();
  }

  async #emptied(directory: Directory): Promise<void> {
    for (let pass = 0; pass < passesMax; pass += 1) {
      let seen = 0;
      for (const { name, isDirectory } of rawEntries(directory)) {
        if (directory === this.#root && this.#moved.has(name.toString('latin1'))) continue;
        seen += 1;
        this.#remove(directory, name, isDirectory);
        if (this.#count % turnEntries === 0) {
          await setImmediate();
          this.#signal?.throwIfAborted();
        }
      }
      if (seen === 0) return;
    }
    throw new FileError('too-many', directory.path, 'is filled faster than it can be removed');
  }

  #remove(directory: Directory, name: Buffer, isDirectory: boolean): void {
    this.#count += 1;
    const path = Buffer.concat([Buffer.from(directory.at('')), name]);
    if (!isDirectory) {
      attempt(directory.path, () => unlinkSync(path));
      return;
    }
    const moved = `${this.#prefix}${this.#count}`;
    attempt(directory.path, () => renameDirectory(path, this.#root.at(moved)));
    this.#moved.add(moved);
  }
}

/** A directory can only be moved by who may write in it. */
function renameDirectory(from: Buffer, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    chmodEntry(from, 0o700);
    renameSync(from, to);
  }
}

function opened(parent: Directory, name: string): Directory {
  attempt(parent.shown(name), () => chmodEntry(parent.at(name), 0o700));
  const directory = parent.directory(name);
  if (directory) return directory;
  throw new FileError('failed', parent.shown(name), 'vanished while it was being removed');
}

function* rawEntries(
  directory: Directory,
): Generator<{ name: Buffer; isDirectory: boolean }, void, void> {
  // The type of `encoding` leaves out "buffer", which Node takes for directories, too.
  const options = { encoding: 'buffer' as BufferEncoding, bufferSize: 512 };
  const open = attempt(directory.path, () => opendirSync(directory.at('.'), options));
  try {
    for (let entry = open.readSync(); entry; entry = open.readSync()) {
      yield { name: Buffer.from(entry.name), isDirectory: entry.isDirectory() };
    }
  } finally {
    open.closeSync();
  }
}
