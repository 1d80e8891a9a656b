// Reads single entries of a directory that may be hostile: never blocks, never reads much.
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';

export interface WorkspaceEntry {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly mode: number;
  readonly modifiedMs: number;
  readonly changedMs: number;
  readonly bornMs: number;
}

/**
 * Links are followed for absolute paths only. A path for which `isHung` is true is not accessed: its file system hangs, and a
 * link may lead there.
 */
export function workspaceTree(
  root: string,
  textMax: number,
  isHung: (path: string) => boolean = () => false,
) {
  const real = (path: string) => {
    const found = path.startsWith('/') ? path : `${root}/${path}`;
    if (isHung(found)) throw Object.assign(new Error(`${found} does not respond`), { code: 'EIO' });
    return found;
  };
  return {
    stats: (path: string): WorkspaceEntry | undefined => {
      const found = orUndefined(() =>
        path.startsWith('/')
          ? statSync(real(path), { throwIfNoEntry: false })
          : lstatSync(real(path), { throwIfNoEntry: false }),
      );
      return found && entryOf(found);
    },
    linkTarget: (path: string) => orUndefined(() => readlinkSync(real(path))),
    names: (path: string) => orUndefined(() => readdirSync(real(path))),
    text: (path: string) => orUndefined(() => readStart(real(path), textMax)),
    mayEnter: (path: string) =>
      orUndefined(() => {
        accessSync(real(path), constants.X_OK);
        return true;
      }) === true,
  };
}

function entryOf(stats: Stats): WorkspaceEntry {
  return {
    kind: kindOf(stats),
    mode: stats.mode & 0o7777,
    modifiedMs: stats.mtimeMs,
    changedMs: stats.ctimeMs,
    bornMs: stats.birthtimeMs,
  };
}

function kindOf(stats: Stats): WorkspaceEntry['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

function readStart(path: string, max: number): string | undefined {
  // A FIFO or a device must not block this.
  if (!statSync(path).isFile()) return undefined;
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const buffer = Buffer.alloc(max);
    return buffer.subarray(0, readSync(fd, buffer, 0, max, 0)).toString('latin1');
  } finally {
    closeSync(fd);
  }
}

/** Undefined for any file system error: git and editors could not read the entry either. */
function orUndefined<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}
