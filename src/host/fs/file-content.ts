// One file: how it is opened, read as a whole and written anew, without waiting and without trusting its size.
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
import { attempt, FileError, fileError, kindOf, refusal } from './file-error.ts';

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
  /** Permission bits, 0600 where not given. */
  readonly mode?: number;
  /** Given away to that user when coi runs as root. */
  readonly owner?: Owner;
  readonly modifiedMs?: number;
  /** False leaves out fsync, for what is written anew at every start. */
  readonly durable?: boolean;
  /** Asked last of all, when the new content is on the disk under another name. */
  readonly onlyIf?: () => boolean;
}

/** Changes permission bits of an entry (a path from `at`) that is no link, also where it cannot be opened for reading. */
export function chmodEntry(path: string | Buffer, mode: number): void {
  const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    if (!fstatSync(fd).isSymbolicLink()) chmodSync(`/proc/self/fd/${fd}`, mode);
  } finally {
    closeSync(fd);
  }
}

/** Opens a regular file, looking before: opening a device or a FIFO alone can have effects, or wait for ever. */
export function openedFile(path: string, shown: string): number | undefined {
  const entry = openedOr(path, O_PATH | constants.O_NOFOLLOW, shown);
  if (entry === undefined) return undefined;
  try {
    const stat = fstatSync(entry);
    if (!stat.isFile()) throw refusal(kindOf(stat), shown);
    return attempt(shown, () =>
      openSync(`/proc/self/fd/${entry}`, constants.O_RDONLY | constants.O_NONBLOCK),
    );
  } finally {
    closeSync(entry);
  }
}

/** The content of an opened regular file. */
export function contentOf(fd: number, shown: string, maxBytes: number): FileContent {
  const stat = fstatSync(fd);
  // The size is only a claim (a sparse giant, or a file that grows): the limit is held while reading, too.
  if (stat.size > maxBytes)
    throw new FileError('too-big', shown, `is larger than ${maxBytes} bytes`);
  const chunks: Buffer[] = [];
  let total = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(Math.min(65_536, maxBytes + 1 - total));
    const count = attempt(shown, () => readSync(fd, chunk));
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

/** The beginning of an opened regular file: at most that many bytes, however long it is. */
export function headOf(fd: number, shown: string, maxBytes: number): Buffer {
  const bytes = Buffer.allocUnsafe(maxBytes);
  let total = 0;
  while (total < maxBytes) {
    const count = attempt(shown, () => readSync(fd, bytes, total, maxBytes - total, null));
    if (count === 0) break;
    total += count;
  }
  return bytes.subarray(0, total);
}

/** Makes a file that is not there yet. */
export function writeNew(path: string, content: string | Uint8Array, options: WriteOptions): void {
  const mode = options.mode ?? 0o600;
  // Nobody else's before it is whole, whatever it will be then.
  const fd = openSync(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    fchmodSync(fd, mode);
    giveAway(fd, options.owner);
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

/** Root gives what it makes to its owner; other users keep it. */
export function giveAway(fd: number, owner: Owner | undefined): void {
  if (owner && process.geteuid?.() === 0) fchownSync(fd, owner.uid, owner.gid);
}

/** Opens, or undefined if there is nothing of that name. */
export function openedOr(path: string, flags: number, shown: string): number | undefined {
  try {
    return openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError(error, shown);
  }
}
