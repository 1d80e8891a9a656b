// The kind, real path and owner of a host path.
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type FuseProblem, fuseProblemAt } from './meta/file-system.ts';

/** Facts about a host path. `real` has all links resolved. */
export type PathFacts =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly closed?: FuseProblem }
  | { readonly kind: 'file' }
  | {
      readonly kind: 'directory';
      readonly real: string;
      readonly owner: { readonly uid: number; readonly gid: number };
    };

/** Whether this user may create entries in that directory. */
export function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Follows links. */
export function pathFacts(path: string): PathFacts {
  try {
    const found = statSync(path);
    if (!found.isDirectory()) return { kind: 'file' };
    accessSync(path, constants.R_OK | constants.X_OK);
    return {
      kind: 'directory',
      real: realpathSync(path),
      owner: { uid: found.uid, gid: found.gid },
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const closed = fuseProblemAt(path, code);
    switch (code) {
      case 'ENOENT':
      case 'ENOTDIR':
        return { kind: 'missing' };
      default:
        return { kind: 'unreadable', ...(closed ? { closed } : {}) };
    }
  }
}

/** The owner's uid; follows links. `unreadable` if a directory on the way denies access. */
export function ownerOfPath(path: string): number | 'missing' | 'unreadable' {
  try {
    return statSync(path).uid;
  } catch (error) {
    return ownerError(error);
  }
}

/** The asynchronous form of `ownerOfPath`, for callers that a hung network file system must not block. */
export async function ownerOfPathAsync(path: string): Promise<number | 'missing' | 'unreadable'> {
  try {
    return (await stat(path)).uid;
  } catch (error) {
    return ownerError(error);
  }
}

function ownerError(error: unknown): 'missing' | 'unreadable' {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['ENOENT', 'ENOTDIR'].includes(code) ? 'missing' : 'unreadable';
}
