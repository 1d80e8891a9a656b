// Constants of Linux that Node does not have. Source: open(2), openat2(2).
import { constants } from 'node:fs';

/** A descriptor for the entry itself, without opening what it is. */
export const O_PATH = 0o10000000;
/** The same of a directory, and of nothing else. */
export const O_PATH_DIRECTORY = O_PATH | constants.O_DIRECTORY;
export const O_CLOEXEC = 0o2000000;

/** For a descriptor of a directory: the current one. */
export const AT_FDCWD = -100;

export const RESOLVE_NO_XDEV = 1;
export const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_NO_SYMLINKS = 4;
export const RESOLVE_BENEATH = 8;
export const RESOLVE_IN_ROOT = 16;
