// Streams files of any size into and out of open directories: no link is followed, only regular files are read, and a
// file appears under its name only when it is complete.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  createReadStream,
  createWriteStream,
  fchmodSync,
  fstatSync,
  openSync,
  readlinkSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import type { Readable } from 'node:stream';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Directory } from './directory.ts';
import { openRegularFile } from './file-content.ts';
import { FileError, withFileErrors } from './file-error.ts';

export interface FileStream {
  readonly sizeBytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** Must be read or destroyed. */
  readonly content: Readable;
}

/** Opens a regular file for streaming; undefined if it is missing. Throws FileError for anything else. */
export function streamFrom(directory: Directory, name: string): FileStream | undefined {
  const fd = openRegularFile(directory.fdPath(name), directory.displayPath(name));
  if (fd === undefined) return undefined;
  const { size, mode } = fstatSync(fd);
  return { sizeBytes: size, mode: mode & 0o777, content: createReadStream('', { fd }) };
}

/** The target of a link, unresolved. */
export function linkTarget(directory: Directory, name: string): string {
  return withFileErrors(directory.displayPath(name), () => readlinkSync(directory.fdPath(name)));
}

export interface ReceiveOptions {
  readonly mode: number;
  /** A larger file is discarded. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Called with the size of each chunk. */
  readonly received?: (bytes: number) => void;
}

/** Writes a stream to a file of that name and replaces an existing entry (a link is replaced, not followed). Throws FileError. */
export async function streamTo(
  directory: Directory,
  name: string,
  content: Readable,
  { mode, maxBytes, signal, received }: ReceiveOptions,
): Promise<void> {
  const shown = directory.displayPath(name);
  const temporary = directory.fdPath(`.coi-pull-${randomBytes(8).toString('hex')}`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = withFileErrors(shown, () => openSync(temporary, flags, 0o600));
  let total = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      total += chunk.length;
      received?.(chunk.length);
      if (total > maxBytes) done(new FileError('too-big', shown, 'is larger than the limit'));
      else done(null, chunk);
    },
  });
  try {
    await pipeline(content, counted, createWriteStream('', { fd, autoClose: false }), { signal });
    fchmodSync(fd, mode & 0o777);
    withFileErrors(shown, () => renameSync(temporary, directory.fdPath(name)));
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  } finally {
    closeSync(fd);
  }
}
