// What the host says of a path.
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { type Closed, closedAt } from './file-system.ts';

export type PathFacts =
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly closed?: Closed }
  | { readonly kind: 'file' }
  | {
      readonly kind: 'directory';
      readonly real: string;
      readonly owner: { readonly uid: number; readonly gid: number };
    };

/** Whether this user may make entries in that directory. */
export function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Follows links: it says what the user would see when entering the path. */
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
    const closed = closedAt(path, code);
    switch (code) {
      case 'ENOENT':
      case 'ENOTDIR':
        return { kind: 'missing' };
      default:
        return { kind: 'unreadable', ...(closed ? { closed } : {}) };
    }
  }
}
