// Whole directory trees.
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** Files up to this size are overwritten before they go: credentials are small, conversations need not be. */
const shredMaxBytes = 1024 * 1024;
const shredMaxFiles = 10_000;

/** Removes a directory with everything in it; links in it are removed, not followed. */
export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

/**
 * The same, but small files are overwritten first, since a login may be among them. A journal, a snapshot or a
 * copy-on-write file system keeps old blocks all the same.
 */
export function shredTree(path: string): void {
  let left = shredMaxFiles;
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    left -= 1;
    if (left < 0) break;
    overwrite(join(entry.parentPath, entry.name));
  }
  removeTree(path);
}

function overwrite(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    // What cannot be opened for writing was not written by this user either.
    return;
  }
  try {
    const { size, nlink } = fstatSync(fd);
    if (size > shredMaxBytes || nlink > 1) return;
    writeSync(fd, Buffer.alloc(size), 0, size, 0);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
