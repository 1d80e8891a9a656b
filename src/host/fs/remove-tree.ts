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
import { basename, dirname } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { O_PATH } from '../linux/constants.ts';
import { Directory } from './directory.ts';
import { chmodEntry, openedOr } from './file-content.ts';
import { attempt, FileError } from './file-error.ts';

/** Other work of the process gets a turn after so many entries. */
const turnEntries = 500;
/** A directory that is never empty is being filled by somebody. */
const passesMax = 100;
/** Files up to this size are overwritten: logins are small, conversations need not be. */
const shredMaxBytes = 2 ** 20;
const shredMaxFiles = 10_000;

export interface Removal {
  readonly signal?: AbortSignal;
  /**
   * Small files are overwritten first, since a login may be among them. A journal, a snapshot or a copy-on-write file
   * system keeps old blocks all the same.
   */
  readonly shred?: boolean;
}

/** Removes an entry and all below it, never following a link. Throws FileError. */
export async function removeTree(
  parent: Directory,
  name: string,
  options: Removal = {},
): Promise<void> {
  const entry = parent.entry(name);
  if (!entry) return;
  if (entry.kind !== 'directory') {
    if (options.shred) attempt(parent.shown(name), () => overwrite(parent.at(name)));
    return parent.unlink(name);
  }
  const flat = new FlatRemoval(opened(parent, name), options);
  try {
    await flat.empty();
  } finally {
    flat.close();
  }
  attempt(parent.shown(name), () => rmdirSync(parent.at(name)));
}

/** The same by the path of the tree; links on the way to it are followed, so only for places that the user alone can write. */
export async function removeTreeAt(path: string, options: Removal = {}): Promise<void> {
  const above = dirname(path);
  const fd = openedOr(above, constants.O_RDONLY | constants.O_DIRECTORY, above);
  if (fd === undefined) return;
  using parent = new Directory(fd, above);
  await removeTree(parent, basename(path), options);
}

/** A small regular file with one name: another name of it may be outside of what is removed. */
function overwrite(path: string | Buffer): void {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const { size, nlink, ...stat } = fstatSync(fd);
    const isFile = (stat.mode & constants.S_IFMT) === constants.S_IFREG;
    if (isFile && nlink === 1 && size > 0 && size <= shredMaxBytes)
      writeZeros(`/proc/self/fd/${fd}`, size);
  } finally {
    closeSync(fd);
  }
}

function writeZeros(path: string, size: number): void {
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY);
  } catch {
    // What cannot be opened for writing was not written by this user either.
    return;
  }
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
  /** Files that may still be overwritten: each waits for the disk. */
  #shredsLeft: number;
  /** Directories that were moved up into the root, not yet emptied. */
  readonly #moved = new Set<string>();
  /** Nobody who planted names could know it. */
  readonly #prefix = `.coi-removed-${randomBytes(8).toString('hex')}-`;
  #count = 0;

  constructor(root: Directory, { signal, shred }: Removal) {
    this.#root = root;
    this.#signal = signal;
    this.#shredsLeft = shred ? shredMaxFiles : 0;
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
      this.#shredsLeft -= 1;
      attempt(directory.path, () => {
        if (this.#shredsLeft >= 0) overwrite(path);
        unlinkSync(path);
      });
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
