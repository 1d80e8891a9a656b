// Removes trees that a container may have filled: any depth, any size, names that are not UTF-8, directories without permissions.
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
import { chmodEntry, openIfExists } from './file-content.ts';
import { FileError, withFileErrors } from './file-error.ts';

/** Yields to the event loop after this many entries. */
const turnEntries = 500;
/** A directory that never becomes empty is being filled meanwhile. */
const passesMax = 100;
/** Files up to this size are overwritten: logins are small, conversations need not be. */
const shredMaxBytes = 2 ** 20;
const shredMaxFiles = 10_000;

export interface RemoveOptions {
  readonly signal?: AbortSignal;
  /**
   * Small files are overwritten first, since a login may be among them. A journal, a snapshot or a copy-on-write file
   * system still keeps old blocks.
   */
  readonly shred?: boolean;
}

/** Removes an entry and everything below it, never following a link. Throws FileError. */
export async function removeTree(
  parent: Directory,
  name: string,
  options: RemoveOptions = {},
): Promise<void> {
  const entry = parent.entry(name);
  if (!entry) return;
  if (entry.kind !== 'directory') {
    if (options.shred)
      withFileErrors(parent.displayPath(name), () => overwrite(parent.fdPath(name)));
    return parent.unlink(name);
  }
  const flat = new FlatRemoval(openForRemoval(parent, name), options);
  try {
    await flat.empty();
  } finally {
    flat.close();
  }
  withFileErrors(parent.displayPath(name), () => rmdirSync(parent.fdPath(name)));
}

/** Like `removeTree`, by path. Follows links in the parent path, so only for directories that only the user can write. */
export async function removeTreeAt(path: string, options: RemoveOptions = {}): Promise<void> {
  const above = dirname(path);
  const fd = openIfExists(above, constants.O_RDONLY | constants.O_DIRECTORY, above);
  if (fd === undefined) return;
  using parent = new Directory(fd, above);
  await removeTree(parent, basename(path), options);
}

/** Overwrites a small regular file, unless it has hard links: another one may be outside the removed tree. */
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
    // A file that cannot be opened for writing was not written by this user.
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
  /** How many more files may be overwritten; each one waits for the disk. */
  #shredsLeft: number;
  /** Directories that were moved up into the root, not yet emptied. */
  readonly #moved = new Set<string>();
  /** Unpredictable, so that nobody can plant such names. */
  readonly #prefix = `.coi-removed-${randomBytes(8).toString('hex')}-`;
  #count = 0;

  constructor(root: Directory, { signal, shred }: RemoveOptions) {
    this.#root = root;
    this.#signal = signal;
    this.#shredsLeft = shred ? shredMaxFiles : 0;
  }

  async empty(): Promise<void> {
    await this.#emptyDirectory(this.#root);
    // Iterating a set also visits entries that are added meanwhile.
    for (const name of this.#moved) {
      using directory = openForRemoval(this.#root, name);
      await this.#emptyDirectory(directory);
      withFileErrors(this.#root.path, () => rmdirSync(this.#root.fdPath(name)));
    }
  }

  close(): void {
    this.#root[Symbol.dispose]();
  }

  async #emptyDirectory(directory: Directory): Promise<void> {
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
    const path = Buffer.concat([Buffer.from(directory.fdPath('')), name]);
    if (!isDirectory) {
      this.#shredsLeft -= 1;
      withFileErrors(directory.path, () => {
        if (this.#shredsLeft >= 0) overwrite(path);
        unlinkSync(path);
      });
      return;
    }
    const moved = `${this.#prefix}${this.#count}`;
    withFileErrors(directory.path, () => renameDirectory(path, this.#root.fdPath(moved)));
    this.#moved.add(moved);
  }
}

/** Moving a directory requires write permission for it. */
function renameDirectory(from: Buffer, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    chmodEntry(from, 0o700);
    renameSync(from, to);
  }
}

function openForRemoval(parent: Directory, name: string): Directory {
  withFileErrors(parent.displayPath(name), () => chmodEntry(parent.fdPath(name), 0o700));
  const directory = parent.openDirectory(name);
  if (directory) return directory;
  throw new FileError('failed', parent.displayPath(name), 'disappeared while it was being removed');
}

function* rawEntries(
  directory: Directory,
): Generator<{ name: Buffer; isDirectory: boolean }, void, void> {
  // The type of `encoding` lacks "buffer", which Node accepts for directories too.
  const options = { encoding: 'buffer' as BufferEncoding, bufferSize: 512 };
  const open = withFileErrors(directory.path, () => opendirSync(directory.fdPath('.'), options));
  try {
    for (let entry = open.readSync(); entry; entry = open.readSync()) {
      yield { name: Buffer.from(entry.name), isDirectory: entry.isDirectory() };
    }
  } finally {
    open.closeSync();
  }
}
