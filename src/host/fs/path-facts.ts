// What the host says of a path.
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Closed, closedAt } from './meta/file-system.ts';

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

/** Whose that path is, through links. A user cannot look into another one's directories: `unreadable`. */
export function ownerOfPath(path: string): number | 'missing' | 'unreadable' {
  try {
    return statSync(path).uid;
  } catch (error) {
    return ownerOfNone(error);
  }
}

/** The same for who must not wait, as on a file system of the network that does not answer. */
export async function ownerOfPathLater(path: string): Promise<number | 'missing' | 'unreadable'> {
  try {
    return (await stat(path)).uid;
  } catch (error) {
    return ownerOfNone(error);
  }
}

function ownerOfNone(error: unknown): 'missing' | 'unreadable' {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return ['ENOENT', 'ENOTDIR'].includes(code) ? 'missing' : 'unreadable';
}
