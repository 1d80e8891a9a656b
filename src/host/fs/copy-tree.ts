// Copies a tree that a container may have filled: links are copied as links, never followed; devices, sockets and FIFOs are
// skipped; everything has a limit. Large files share their blocks where the file system supports it.
import { closeSync, constants, copyFileSync, lchownSync, symlinkSync, utimesSync } from 'node:fs';
import type { Directory } from './directory.ts';
import { chmodEntry, openRegularFile } from './file-content.ts';
import { FileError, withFileErrors } from './file-error.ts';
import { linkTarget } from './streams.ts';

export interface CopyBudget {
  entriesLeft: number;
  bytesLeft: number;
  /** Called for everything that is not copied. */
  readonly leftOut: (path: string, why: string) => void;
}

const depthMax = 100;

/** Copies the content of one directory into another. Throws FileError `too-many` or `too-big` when the budget is used up. */
export function copyTree(from: Directory, to: Directory, budget: CopyBudget, depth = 0): void {
  if (depth > depthMax) throw new FileError('too-many', from.path, 'is nested too deep');
  for (const { name, kind } of from.entries()) {
    budget.entriesLeft -= 1;
    if (budget.entriesLeft < 0)
      throw new FileError('too-many', from.path, 'contains too many entries');
    try {
      if (kind === 'directory') copyDirectory(from, to, name, budget, depth);
      else if (kind === 'link') symlinkSync(linkTarget(from, name), to.fdPath(name));
      else if (kind === 'file') copyFile(from, to, name, budget);
      else budget.leftOut(from.displayPath(name), `is a ${kind}`);
    } catch (error) {
      // Files of the container's root belong to an id whose files an ordinary user cannot read.
      if (!(error instanceof FileError) || error.reason !== 'denied') throw error;
      budget.leftOut(from.displayPath(name), 'cannot be read');
    }
  }
}

function copyDirectory(
  from: Directory,
  to: Directory,
  name: string,
  budget: CopyBudget,
  depth: number,
): void {
  using inner = from.openDirectory(name);
  if (!inner) return;
  const { mode, uid, gid } = inner.stat();
  using made = to.makeDirectory(name, { mode: (mode & 0o777) | 0o700, owner: { uid, gid } });
  copyTree(inner, made, budget, depth + 1);
}

function copyFile(from: Directory, to: Directory, name: string, budget: CopyBudget): void {
  const shown = from.displayPath(name);
  const found = from.entry(name);
  const fd = openRegularFile(from.fdPath(name), shown);
  if (fd === undefined || !found) return;
  try {
    const { size, mode, uid, gid, atime, mtime } = found.stat;
    budget.bytesLeft -= size;
    if (budget.bytesLeft < 0) throw new FileError('too-big', shown, 'is larger than the limit');
    const target = to.fdPath(name);
    withFileErrors(to.displayPath(name), () => {
      copyFileSync(
        `/proc/self/fd/${fd}`,
        target,
        constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE,
      );
      chmodEntry(target, mode & 0o777);
      if (process.geteuid?.() === 0) lchownSync(target, uid, gid);
      utimesSync(target, atime, mtime);
    });
  } finally {
    closeSync(fd);
  }
}
