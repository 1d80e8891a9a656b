// Opens entries below an open directory without following links, enforced by the kernel and so safe against renames. Used
// where the C library is loaded; otherwise host/fs/directory.ts descends component by component.
import { constants } from 'node:fs';
import {
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from './constants.ts';
import type { Libc } from './libc.ts';

export interface BelowOptions {
  /** `refused`: the last component may not be a link either. By default the link itself is opened. */
  readonly lastLink?: 'refused';
  /** Further RESOLVE_ flags. */
  readonly resolve?: number;
}

/** A descriptor (O_PATH). Throws SystemCallError: ELOOP at a link, ENOENT, ENOTDIR, ENAMETOOLONG from 4096 bytes on. */
export function openBelow(
  libc: Pick<Libc, 'openat2'>,
  directory: number,
  path: string | Buffer,
  { lastLink, resolve = 0 }: BelowOptions = {},
): number {
  const flags = lastLink === 'refused' ? O_PATH : O_PATH | constants.O_NOFOLLOW;
  const noLinks = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  return libc.openat2(path, flags, noLinks | resolve, directory);
}
