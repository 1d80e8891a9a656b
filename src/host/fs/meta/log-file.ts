// A log file with rotation.
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  watch,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { ensureOwnDirectory } from '../../install/service-socket.ts';

export interface LogFileOptions {
  readonly path: string;
  /** Size at which it becomes `<path>.1`, the previous one `<path>.2`, and so on. */
  readonly bytesMax?: number;
  readonly oldFilesMax?: number;
  /** The group that may read it. */
  readonly gid?: number | undefined;
  /** Called when the rotation failed; may write to the log. */
  readonly onRotateError?: ((error: unknown) => void) | undefined;
}

const defaultBytesMax = 5 * 1024 * 1024;
const defaultOldFilesMax = 3;

/**
 * Opens the file (creating its directory, owned by root) and returns a function that appends a line, unbuffered. It never
 * throws: a line that cannot be written is lost, and a file that cannot be rotated keeps growing.
 */
export function openLogFile({
  path,
  bytesMax = defaultBytesMax,
  oldFilesMax = defaultOldFilesMax,
  gid,
  onRotateError = () => {},
}: LogFileOptions): (line: string) => void {
  ensureOwnDirectory(dirname(path), 0o755);
  let fd = openLog(path, constants.O_APPEND, gid);
  let bytes = fstatSync(fd).size;
  let rotateAt = bytesMax;
  const rotateLog = () => {
    try {
      const next = rotate(path, oldFilesMax, gid);
      const last = fd;
      [fd, bytes, rotateAt] = [next, 0, bytesMax];
      closeSync(last);
    } catch (error) {
      // Retried after the file has grown by `bytesMax` again, not at every line.
      rotateAt = bytes + bytesMax;
      onRotateError(error);
    }
  };
  return (line) => {
    if (bytes > 0 && bytes + line.length > rotateAt) rotateLog();
    try {
      bytes += writeSync(fd, line);
    } catch {
      // A full disk must not end coid.
    }
  };
}

function openLog(path: string, how: number, gid: number | undefined): number {
  const fd = openSync(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW | how,
    0o640,
  );
  try {
    fchmodSync(fd, 0o640);
    if (gid !== undefined) fchownSync(fd, 0, gid);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Creates the new file before renaming, so that a failure leaves the old one in place. Throws errno errors. */
function rotate(path: string, oldFilesMax: number, gid: number | undefined): number {
  const fresh = `${path}.new`;
  const fd = openLog(fresh, constants.O_APPEND | constants.O_TRUNC, gid);
  try {
    for (let number = oldFilesMax; number > 1; number -= 1) {
      try {
        renameSync(`${path}.${number - 1}`, `${path}.${number}`);
      } catch {
        // It does not exist yet, or its target is blocked: then the next rename overwrites it.
      }
    }
    renameSync(path, `${path}.1`);
    renameSync(fresh, path);
    return fd;
  } catch (error) {
    closeSync(fd);
    rmSync(fresh, { force: true });
    throw error;
  }
}

/** How much of the end of a file is searched for its last lines. */
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

/** Calls `line` for every appended line, across rotations, until the signal aborts. */
export function tailFile(
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
      // Between two files; the next event announces the new one.
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
