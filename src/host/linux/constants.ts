// Linux constants that Node does not export. Source: open(2), openat2(2).
import { constants } from 'node:fs';

/** A descriptor that refers to the entry without opening it. */
export const O_PATH = 0o10000000;
/** O_PATH, only for a directory. */
export const O_PATH_DIRECTORY = O_PATH | constants.O_DIRECTORY;
export const O_CLOEXEC = 0o2000000;

/** Stands for the current directory. */
export const AT_FDCWD = -100;

export const RESOLVE_NO_XDEV = 1;
export const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_NO_SYMLINKS = 4;
export const RESOLVE_BENEATH = 8;
export const RESOLVE_IN_ROOT = 16;
