// The file system of the host as domain code is handed it: see directory.ts for what makes it safe.
import { constants, lstatSync, realpathSync } from 'node:fs';
import { type CarryLimits, type Collected, collectCarried } from './carried.ts';
import { Directory } from './directory.ts';
import type { Owner } from './file-content.ts';
import { type FileContent, openedOr } from './file-content.ts';
import { FileError, type FileReason } from './file-error.ts';
import { removeLeftovers } from './user/leftovers.ts';
import {
  changeUserFile,
  readUserFile,
  removeUserLeftovers,
  type UserChange,
} from './user/user-file.ts';

export type { CarriedFile, CarryLimits, Collected } from './carried.ts';
export type { Directory, Entry } from './directory.ts';
export type { FileContent, Owner, WriteOptions } from './file-content.ts';
export { FileError, type FileKind, type FileReason } from './file-error.ts';

/** What domain code is handed instead of a file system. */
export interface HostFiles {
  /** Opens a directory, following links on the way: for places that only the user can write. Undefined if there is none. */
  open(path: string): Directory | undefined;
  /** Reads a file of the user's own, such as a login, that may be a link of the user's (user-file.ts). */
  readUserFile(
    home: string,
    relative: string,
    options: { maxBytes: number },
  ): FileContent | undefined;
  /** Reads files of the user's agent directory for a session (carried.ts). */
  collectCarried(
    home: string,
    directory: string,
    names: readonly string[],
    limits: CarryLimits,
  ): Collected;
  /** Changes such a file as a whole; false if a program of the user is about to change it. */
  changeUserFile(
    home: string,
    relative: string,
    change: (text: string | undefined) => string | undefined,
    options: UserChange,
  ): boolean;
  /** Takes away what interrupted changes of such a file have left (leftovers.ts). */
  removeUserLeftovers(
    home: string,
    relative: string,
    options: { owner: Owner; nowMs: number },
  ): boolean;
  /** The same in an opened directory. */
  removeLeftovers(directory: Directory, owner: Owner, nowMs: number): boolean;
  /** Whether a name is there; a link counts, wherever it leads. */
  exists(path: string): boolean;
  /** The path without links; undefined if there is no such thing, `dangling` if it ends in a link to nothing. */
  realPath(path: string): string | undefined;
  /** What went wrong with a path, if `error` is of that sort. */
  problem(
    error: unknown,
  ): { readonly reason: FileReason; readonly path: string; readonly message: string } | undefined;
}

export const hostFiles: HostFiles = {
  open: (path) => {
    const fd = openedOr(path, constants.O_RDONLY | constants.O_DIRECTORY, path);
    return fd === undefined ? undefined : new Directory(fd, path);
  },
  readUserFile,
  collectCarried,
  changeUserFile,
  removeUserLeftovers,
  removeLeftovers,
  exists,
  realPath: (path) => {
    try {
      return realpathSync(path);
    } catch {
      return exists(path) ? 'dangling' : undefined;
    }
  },
  problem: (error) => (error instanceof FileError ? error : undefined),
};

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // Not to be looked at (EACCES): not known to be absent, so whoever reads it will tell.
    return true;
  }
}
