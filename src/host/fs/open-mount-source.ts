// Opens a mount source with the user's rights, once; all later steps use the descriptor.
import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from 'node:fs';
import { O_PATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from '../linux/constants.ts';
import type { Libc } from '../linux/libc.ts';

/** The rights with which a path is opened. */
export interface FileIds {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export interface OpenSource {
  /** O_PATH. The caller closes it. */
  readonly fd: number;
  /** The path with links resolved, at the time of opening. */
  readonly path: string;
  readonly stats: Stats;
}

const rootIds: FileIds = { uid: 0, gid: 0, groups: [] };

/** Follows links with that user's rights. Throws an error with an errno `code`. */
export function openAs(libc: Libc, ids: FileIds, path: string): OpenSource {
  return withFileIds(libc, ids, () =>
    toSource(() => libc.openat2(path, O_PATH, RESOLVE_NO_MAGICLINKS)),
  );
}

/** As root; fails if any component of the path is a link. */
export function openWithoutLinks(libc: Libc, path: string): OpenSource {
  return toSource(() => libc.openat2(path, O_PATH, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS));
}

/** Stats of the parent directories, nearest first, as far up as they can be opened. */
export function parentStats({ fd, stats }: OpenSource): Stats[] {
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

/** Whether that user may read it; the kernel decides, so ACLs count too. */
export function canRead(libc: Libc, ids: FileIds, source: OpenSource): boolean {
  return withFileIds(libc, ids, () => {
    try {
      closeSync(openSync(`/proc/self/fd/${source.fd}`, constants.O_RDONLY | constants.O_NONBLOCK));
      return true;
    } catch {
      return false;
    }
  });
}

/** Opens and describes it; closes the descriptor if that fails. */
export function toSource(open: () => number): OpenSource {
  const fd = open();
  try {
    return { fd, path: readlinkSync(`/proc/self/fd/${fd}`), stats: fstatSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** `run` must be synchronous: the ids belong to the thread. */
export function withFileIds<T>(libc: Libc, ids: FileIds, run: () => T): T {
  if (ids.uid === 0) return run();
  libc.setFileIds(ids);
  try {
    return run();
  } finally {
    libc.setFileIds(rootIds);
  }
}
