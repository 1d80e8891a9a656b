// Opens, reads and creates single files without blocking and without trusting their size.
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  futimesSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { O_PATH } from '../linux/constants.ts';
import { FileError, kindOf, toFileError, withFileErrors, wrongKindError } from './file-error.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface FileContent {
  readonly bytes: Buffer;
  readonly text: string;
  readonly modifiedMs: number;
  readonly mode: number;
}

export interface WriteOptions {
  /** Permission bits; default 0600. */
  readonly mode?: number;
  /** The file's owner when coi runs as root. */
  readonly owner?: Owner;
  readonly modifiedMs?: number;
  /** False skips fsync, for files that every start rewrites. */
  readonly durable?: boolean;
  /** Called last, when the new content is on disk under a temporary name. */
  readonly onlyIf?: () => boolean;
}

/** Changes permission bits of an entry that is not a link, also where it cannot be opened for reading. */
export function chmodEntry(path: string | Buffer, mode: number): void {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    if (!fstatSync(fd).isSymbolicLink()) chmodSync(`/proc/self/fd/${fd}`, mode);
  } finally {
    closeSync(fd);
  }
}

/** Opens a regular file after checking its kind: merely opening a device or FIFO can have side effects or block. */
export function openRegularFile(path: string, shown: string): number | undefined {
  const entry = openIfExists(path, O_PATH | constants.O_NOFOLLOW, shown);
  if (entry === undefined) return undefined;
  try {
    const stat = fstatSync(entry);
    if (!stat.isFile()) throw wrongKindError(kindOf(stat), shown);
    return withFileErrors(shown, () =>
      openSync(`/proc/self/fd/${entry}`, constants.O_RDONLY | constants.O_NONBLOCK),
    );
  } finally {
    closeSync(entry);
  }
}

/** The content of an open regular file. */
export function readContent(fd: number, shown: string, maxBytes: number): FileContent {
  const stat = fstatSync(fd);
  // The size may be wrong (sparse or growing files), so the limit also applies while reading.
  if (stat.size > maxBytes)
    throw new FileError('too-big', shown, `is larger than ${maxBytes} bytes`);
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(65_536, maxBytes + 1 - total));
    const count = withFileErrors(shown, () => readSync(fd, chunk));
    if (count === 0) break;
    total += count;
    if (total > maxBytes) throw new FileError('too-big', shown, `is larger than ${maxBytes} bytes`);
    chunks.push(chunk.subarray(0, count));
  }
  const bytes = Buffer.concat(chunks);
  return {
    bytes,
    text: bytes.toString('utf8'),
    modifiedMs: stat.mtimeMs,
    mode: stat.mode & 0o7777,
  };
}

/** The first `maxBytes` of an open regular file. */
export function readPrefix(fd: number, shown: string, maxBytes: number): Buffer {
  return readUpTo(fd, shown, maxBytes, null);
}

/** The last `maxBytes` of an open regular file, but nothing before the offset `from`. */
export function readSuffix(fd: number, shown: string, maxBytes: number, from = 0): Buffer {
  const { size } = fstatSync(fd);
  const length = Math.max(0, Math.min(size - from, maxBytes));
  return readUpTo(fd, shown, length, size - length);
}

/** Fewer bytes at the end of the file. `from`: null for the current position. */
function readUpTo(fd: number, shown: string, length: number, from: number | null): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let total = 0;
  while (total < length) {
    const at = from === null ? null : from + total;
    const count = withFileErrors(shown, () => readSync(fd, bytes, total, length - total, at));
    if (count === 0) break;
    total += count;
  }
  return bytes.subarray(0, total);
}

/** Creates a new file. */
export function createFile(
  path: string,
  content: string | Uint8Array,
  options: WriteOptions,
): void {
  const mode = options.mode ?? 0o600;
  // Private until it is complete, whatever its final mode.
  const fd = openSync(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fchmodSync(fd, mode);
    chownIfRoot(fd, options.owner);
    if (options.modifiedMs !== undefined)
      futimesSync(fd, options.modifiedMs / 1000, options.modifiedMs / 1000);
    if (options.durable !== false) fsyncSync(fd);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Root hands new files to their owner; other users keep them. */
export function chownIfRoot(fd: number, owner: Owner | undefined): void {
  if (owner && process.geteuid?.() === 0) fchownSync(fd, owner.uid, owner.gid);
}

/** Undefined if the path does not exist. */
export function openIfExists(path: string, flags: number, shown: string): number | undefined {
  try {
    return openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw toFileError(error, shown);
  }
}

/** Appends to a regular file, which is created with mode 0600 if it is missing. Returns its size afterwards. */
export function appendToFile(path: string, content: string, shown: string): number {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
  const fd = withFileErrors(shown, () => openSync(path, flags, 0o600));
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw wrongKindError(kindOf(stat), shown);
    const bytes = Buffer.from(content);
    for (let at = 0; at < bytes.length; )
      at += withFileErrors(shown, () => writeSync(fd, bytes, at));
    return fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
}
