// Files of any size, streamed in and out of opened directories: no link is followed, nothing but regular files is read,
// and a file appears under its name only when it is whole.
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
import { openedFile } from './file-content.ts';
import { attempt, FileError } from './file-error.ts';

export interface FileStream {
  readonly sizeBytes: number;
  /** Permission bits. */
  readonly mode: number;
  /** Ends by itself, and has to be read or destroyed. */
  readonly content: Readable;
}

/** Opens a regular file for streaming; undefined if it is missing. Throws FileError for anything else. */
export function streamFrom(directory: Directory, name: string): FileStream | undefined {
  const fd = openedFile(directory.at(name), directory.shown(name));
  if (fd === undefined) return undefined;
  const { size, mode } = fstatSync(fd);
  return { sizeBytes: size, mode: mode & 0o777, content: createReadStream('', { fd }) };
}

/** Where a link leads, as it is written. */
export function linkTarget(directory: Directory, name: string): string {
  return attempt(directory.shown(name), () => readlinkSync(directory.at(name)));
}

export interface ReceiveOptions {
  readonly mode: number;
  /** Above it nothing is kept. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** Called with the size of each piece. */
  readonly received?: (bytes: number) => void;
}

/** Writes a stream to a file of that name, replacing what is there (a link is replaced, not followed). Throws FileError. */
export async function streamTo(
  directory: Directory,
  name: string,
  content: Readable,
  { mode, maxBytes, signal, received }: ReceiveOptions,
): Promise<void> {
  const shown = directory.shown(name);
  const temporary = directory.at(`.coi-pull-${randomBytes(8).toString('hex')}`);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const fd = attempt(shown, () => openSync(temporary, flags, 0o600));
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
    attempt(shown, () => renameSync(temporary, directory.at(name)));
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  } finally {
    closeSync(fd);
  }
}
