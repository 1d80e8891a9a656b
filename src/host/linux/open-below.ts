// Opens what lies below an open directory, through no link: the kernel refuses one, whoever swaps what meanwhile. This is the
// way wherever the C library is loaded; without it, host/fs/directory.ts goes the same way name by name.
import { constants } from 'node:fs';
import {
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from './constants.ts';
import type { Libc } from './libc.ts';

export interface BelowOptions {
  /** A link of the last name is opened itself where not given, else refused as one on the way is. */
  readonly lastLink?: 'refused';
  /** More of RESOLVE_. */
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
