// Opens what a user wants mounted with that user's rights, once; all later steps use the descriptor.
import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { O_PATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from '../linux/constants.ts';
import type { Libc } from '../linux/libc.ts';

/** The rights with which a path is opened. */
export interface FileIds {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export interface Source {
  /** O_PATH. Whoever asked for it closes it. */
  readonly fd: number;
  /** Its path without links, as it was when it was opened. */
  readonly path: string;
  readonly stats: Stats;
}

const rootIds: FileIds = { uid: 0, gid: 0, groups: [] };

/** Follows links as that user could. Throws an error with an errno `code`. */
export function openAs(libc: Libc, ids: FileIds, path: string): Source {
  return withIds(libc, ids, () => openNow(() => libc.openat2(path, O_PATH, RESOLVE_NO_MAGICLINKS)));
}

/** As root, and only if no part of the path is a link. */
export function openWithoutLinks(libc: Libc, path: string): Source {
  return openNow(() => libc.openat2(path, O_PATH, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS));
}

/** What lies above an open directory, the nearest first, up to where root does not get further. */
export function statsAbove({ fd, stats }: Source): Stats[] {
  const found: Stats[] = [];
  let [at, below] = [fd, stats];
  try {
    for (;;) {
      const next = openSync(`/proc/self/fd/${at}/..`, O_PATH);
      if (at !== fd) closeSync(at);
      at = next;
      const above = fstatSync(at);
      if (above.ino === below.ino && above.dev === below.dev) return found;
      found.push(above);
      below = above;
    }
  } catch {
    return found;
  } finally {
    if (at !== fd) closeSync(at);
  }
}

/** Whether that user may read what is open: asked of the kernel, so ACLs count too. */
export function mayRead(libc: Libc, ids: FileIds, source: Source): boolean {
  return withIds(libc, ids, () => {
    try {
      closeSync(openSync(`/proc/self/fd/${source.fd}`, constants.O_RDONLY | constants.O_NONBLOCK));
      return true;
    } catch {
      return false;
    }
  });
}

/** What a descriptor is, which is closed if that cannot be told. */
export function openNow(open: () => number): Source {
  const fd = open();
  try {
    return { fd, path: readlinkSync(`/proc/self/fd/${fd}`), stats: fstatSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Nothing asynchronous may happen inside: the ids are those of the thread. */
export function withIds<T>(libc: Libc, ids: FileIds, run: () => T): T {
  if (ids.uid === 0) return run();
  libc.setFileIds(ids);
  try {
    return run();
  } finally {
    libc.setFileIds(rootIds);
  }
}
