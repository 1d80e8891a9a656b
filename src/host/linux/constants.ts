// Constants of Linux that Node does not have. Source: open(2), openat2(2).

export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;

export const RESOLVE_NO_XDEV = 1;
export const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_NO_SYMLINKS = 4;
export const RESOLVE_BENEATH = 8;
