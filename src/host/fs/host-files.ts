// The host's file system as an interface for domain code; directory.ts explains why it is safe.
import { constants, lstatSync, realpathSync } from 'node:fs';
import { type CarryLimits, type CollectedFiles, collectCarriedFiles } from './carried-files.ts';
import { Directory } from './directory.ts';
import type { Owner } from './file-content.ts';
import { type FileContent, openIfExists } from './file-content.ts';
import { FileError, type FileReason } from './file-error.ts';
import { removeLeftovers } from './user/leftovers.ts';
import {
  changeUserFile,
  readUserFile,
  removeUserLeftovers,
  type UserChange,
} from './user/user-file.ts';

export type { CarriedFile, CarryLimits, CollectedFiles as Collected } from './carried-files.ts';
export type { Directory, Entry } from './directory.ts';
export type { FileContent, Owner, WriteOptions } from './file-content.ts';
export { FileError, type FileKind, type FileReason } from './file-error.ts';

/** Passed to domain code instead of a file system. */
export interface HostFiles {
  /** Opens a directory and follows links: for paths that only the user can write. Undefined if it is missing. */
  open(path: string): Directory | undefined;
  /** Reads a file of the user, such as a login, which may be a link that the user made (user-file.ts). */
  readUserFile(
    home: string,
    relative: string,
    options: { maxBytes: number },
  ): FileContent | undefined;
  /** Reads the files of the user's agent directory that a session gets (carried-files.ts). */
  collectCarriedFiles(
    home: string,
    directory: string,
    names: readonly string[],
    limits: CarryLimits,
  ): CollectedFiles;
  /** Replaces the content of such a file; false if another program is changing it. */
  changeUserFile(
    home: string,
    relative: string,
    change: (text: string | undefined) => string | undefined,
    options: UserChange,
  ): boolean;
  /** Removes temporary files of interrupted changes (leftovers.ts). */
  removeUserLeftovers(
    home: string,
    relative: string,
    options: { owner: Owner; nowMs: number },
  ): boolean;
  /** Like `removeUserLeftovers`, in an open directory. */
  removeLeftovers(directory: Directory, owner: Owner, nowMs: number): boolean;
  /** Whether the entry exists; a dangling link counts. */
  exists(path: string): boolean;
  /** The path with links resolved; undefined if it does not exist, `dangling` if it ends in a broken link. */
  realPath(path: string): string | undefined;
  /** `error` if it is a FileError. */
  asFileError(
    error: unknown,
  ): { readonly reason: FileReason; readonly path: string; readonly message: string } | undefined;
}

export const hostFiles: HostFiles = {
  open: (path) => {
    const fd = openIfExists(path, constants.O_RDONLY | constants.O_DIRECTORY, path);
    return fd === undefined ? undefined : new Directory(fd, path);
  },
  readUserFile,
  collectCarriedFiles: collectCarriedFiles,
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
  asFileError: (error) => (error instanceof FileError ? error : undefined),
};

function exists(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // EACCES: not known to be absent; reading it will report the problem.
    return true;
  }
}
