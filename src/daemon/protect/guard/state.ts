// The state that coid needs to restore a guarded workspace.
import type { Stats } from 'node:fs';
import type { OriginalAttributes } from './guard-inode.ts';

export interface GuardedEntry extends OriginalAttributes {
  readonly path: string;
  readonly inode: number;
  /** Creation time of the inode (milliseconds since 1970); 0 or undefined if the file system does not have it. */
  readonly bornMs?: number | undefined;
}

export interface CreatedEntry {
  readonly path: string;
  /** 0: not created yet. */
  readonly inode: number;
  readonly content: string;
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface GuardState {
  readonly entries: readonly GuardedEntry[];
  readonly made: readonly CreatedEntry[];
}

export const noGuard: GuardState = { entries: [], made: [] };

/** File systems such as ext4 reuse inode numbers at once, so the number alone is not enough. */
export function isSameInode(
  { inode, bornMs }: GuardedEntry,
  { ino, birthtimeMs }: Pick<Stats, 'ino' | 'birthtimeMs'>,
): boolean {
  return inode === ino && (!bornMs || bornMs === birthtimeMs);
}
