// What coid remembers of a guarded workspace, so that everything can be put back.
import type { Stats } from 'node:fs';
import type { Before } from './change.ts';

export interface GuardedEntry extends Before {
  readonly path: string;
  readonly inode: number;
  /** When the inode was made (milliseconds since 1970); 0 or undefined: the file system does not say. */
  readonly bornMs?: number | undefined;
}

export interface MadeEntry {
  readonly path: string;
  /** 0: it was about to be made. */
  readonly inode: number;
  readonly content: string;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface GuardState {
  readonly entries: readonly GuardedEntry[];
  readonly made: readonly MadeEntry[];
}

export const noGuard: GuardState = { entries: [], made: [] };

/** A file system gives the number of a removed file to the next one at once (ext4 does), so the number alone says little. */
export function isSameInode(
  { inode, bornMs }: GuardedEntry,
  { ino, birthtimeMs }: Pick<Stats, 'ino' | 'birthtimeMs'>,
): boolean {
  return inode === ino && (!bornMs || bornMs === birthtimeMs);
}
