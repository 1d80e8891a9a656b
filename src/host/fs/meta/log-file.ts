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
  rmSync,
  watch,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { ownDirectory } from '../../install/service-socket.ts';

export interface LogFileOptions {
  readonly path: string;
  /** Size at which it becomes `<path>.1`, the one before `<path>.2`, and so on. */
  readonly bytesMax?: number;
  readonly oldFilesMax?: number;
  /** A group that may read it. */
  readonly gid?: number | undefined;
  /** Called when it could not be put aside; may write to the log. */
  readonly told?: ((error: unknown) => void) | undefined;
}

const defaultBytesMax = 5 * 1024 * 1024;
const defaultOldFilesMax = 3;

/**
 * Opens the file (its directory is made, root's own) and returns what appends a line to it. Written at once, without
 * buffering. It never throws: a line that cannot be written is lost, and a file that cannot be put aside grows on.
 */
export function openLogFile({
  path,
  bytesMax = defaultBytesMax,
  oldFilesMax = defaultOldFilesMax,
  gid,
  told = () => {},
}: LogFileOptions): (line: string) => void {
  ownDirectory(dirname(path), 0o755);
  let fd = opened(path, constants.O_APPEND, gid);
  let bytes = fstatSync(fd).size;
  let rotateAt = bytesMax;
  const putAside = () => {
    try {
      const next = rotated(path, oldFilesMax, gid);
      const last = fd;
      [fd, bytes, rotateAt] = [next, 0, bytesMax];
      closeSync(last);
    } catch (error) {
      // Tried again when it has grown by as much once more, not at every line.
      rotateAt = bytes + bytesMax;
      told(error);
    }
  };
  return (line) => {
    if (bytes > 0 && bytes + line.length > rotateAt) putAside();
    try {
      bytes += writeSync(fd, line);
    } catch {
      // A full disk must not end coid.
    }
  };
}

function opened(path: string, how: number, gid: number | undefined): number {
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

/** Puts the file aside for a new one, which is made first: what fails leaves the old one where it is. Throws errno errors. */
function rotated(path: string, oldFilesMax: number, gid: number | undefined): number {
  const fresh = `${path}.new`;
  const fd = opened(fresh, constants.O_APPEND | constants.O_TRUNC, gid);
  try {
    for (let number = oldFilesMax; number > 1; number -= 1) {
      try {
        renameSync(`${path}.${number - 1}`, `${path}.${number}`);
      } catch {
        // There is none yet, or something is in its way: then the next one takes its place.
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
