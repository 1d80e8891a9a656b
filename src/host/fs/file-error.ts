// The error for unusable paths: callers branch on `reason`, never on the text.
import type { Stats } from 'node:fs';

export type FileKind = 'file' | 'directory' | 'link' | 'fifo' | 'socket' | 'device';

/** The kind of the path where another was expected, a limit, or a system error. */
export type FileReason = FileKind | 'too-big' | 'too-many' | 'name' | 'denied' | 'full' | 'failed';

/** A path that cannot be used; `path` is for display. */
export class FileError extends Error {
  readonly reason: FileReason;
  readonly path: string;

  constructor(reason: FileReason, path: string, message: string, cause?: unknown) {
    super(`${path} ${message}`, cause === undefined ? undefined : { cause });
    this.name = 'FileError';
    this.reason = reason;
    this.path = path;
  }
}

/** Runs `effect`; a failed system call becomes a FileError for `shown`. */
export function withFileErrors<T>(shown: string, effect: () => T): T {
  try {
    return effect();
  } catch (error) {
    throw toFileError(error, shown);
  }
}

export function toFileError(error: unknown, shown: string): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ELOOP':
      return wrongKindError('link', shown, error);
    case 'ENOTDIR':
      return new FileError(
        'file',
        shown,
        'is not a directory, or a part of its path is a link',
        error,
      );
    case 'EISDIR':
      return wrongKindError('directory', shown, error);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new FileError('denied', shown, 'cannot be read or written by this user', error);
    case 'ENOSPC':
    case 'EDQUOT':
      return new FileError('full', shown, 'cannot be written: the disk is full', error);
    case undefined:
      return error;
    default:
      return new FileError(
        'failed',
        shown,
        `cannot be used (${(error as NodeJS.ErrnoException).code})`,
        error,
      );
  }
}

export function wrongKindError(kind: FileKind, shown: string, cause?: unknown): FileError {
  const what = {
    file: 'a file',
    directory: 'a directory',
    link: 'a symbolic link, which is not followed',
    fifo: 'a FIFO',
    socket: 'a socket',
    device: 'a device',
  };
  return new FileError(kind, shown, `is ${what[kind]}`, cause);
}

export function kindOf(
  entry: Pick<Stats, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket'>,
): FileKind {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isFIFO()) return 'fifo';
  return entry.isSocket() ? 'socket' : 'device';
}
