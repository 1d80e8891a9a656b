// A log file that is put aside when it has grown large.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  watch,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { ownDirectory } from './service-socket.ts';

export interface LogFileOptions {
  readonly path: string;
  /** Size at which it becomes `<path>.1`, the one before `<path>.2`, and so on. */
  readonly bytesMax?: number;
  readonly oldFilesMax?: number;
  /** A group that may read it. */
  readonly gid?: number | undefined;
}

const defaultBytesMax = 5 * 1024 * 1024;
const defaultOldFilesMax = 3;

/** Opens the file (its directory is made, root's own) and returns what appends a line to it. Written at once, without buffering. */
export function openLogFile({
  path,
  bytesMax = defaultBytesMax,
  oldFilesMax = defaultOldFilesMax,
  gid,
}: LogFileOptions): (line: string) => void {
  ownDirectory(dirname(path), 0o755);
  let fd = opened(path, gid);
  let bytes = fstatSync(fd).size;
  return (line) => {
    if (bytes > 0 && bytes + line.length > bytesMax) {
      closeSync(fd);
      rotate(path, oldFilesMax);
      fd = opened(path, gid);
      bytes = 0;
    }
    try {
      bytes += writeSync(fd, line);
    } catch {
      // A full disk must not end coid.
    }
  };
}

function opened(path: string, gid: number | undefined): number {
  const fd = openSync(
    path,
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW,
    0o640,
  );
  fchmodSync(fd, 0o640);
  if (gid !== undefined) fchownSync(fd, 0, gid);
  return fd;
}

function rotate(path: string, oldFilesMax: number): void {
  for (let number = oldFilesMax; number >= 1; number -= 1) {
    try {
      renameSync(number === 1 ? path : `${path}.${number - 1}`, `${path}.${number}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** How much of the end of a file is looked at for its last lines. */
const tailBytes = 1024 * 1024;

/** The last lines of a file, without newlines. Throws errno errors. */
export function lastLines(path: string, count: number): string[] {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(0, size - tailBytes);
    const lines = readFrom(fd, from).toString('utf8').split('\n');
    if (from > 0) lines.shift();
    if (lines.at(-1) === '') lines.pop();
    return count === 0 ? [] : lines.slice(-count);
  } finally {
    closeSync(fd);
  }
}

/** Hands on every line that is added, also after the file was put aside for a new one, until the signal. */
export function followFile(
  path: string,
  line: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let fd = openSync(path, 'r');
  let at = fstatSync(fd).size;
  let rest = '';
  const decoder = new StringDecoder('utf8');
  const read = () => {
    const added = readFrom(fd, at);
    at += added.length;
    const lines = (rest + decoder.write(added)).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) line(text);
  };
  const changed = (event: string) => {
    read();
    if (event !== 'rename') return;
    try {
      const next = openSync(path, 'r');
      if (fstatSync(next).ino !== fstatSync(fd).ino) at = 0;
      closeSync(fd);
      fd = next;
    } catch {
      // Between two files; the next event brings the new one.
    }
    read();
  };
  return new Promise((resolve, reject) => {
    const watcher = watch(dirname(path), { signal }, (event, name) => {
      if (name === basename(path)) changed(event);
    });
    watcher.on('error', reject);
    watcher.on('close', () => {
      closeSync(fd);
      resolve();
    });
  });
}

function readFrom(fd: number, from: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = from; ; ) {
    const part = Buffer.alloc(65_536);
    const bytes = readSync(fd, part, 0, part.length, at);
    if (bytes === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, bytes));
    at += bytes;
  }
}
