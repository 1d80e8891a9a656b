// Finds out how an additional mount of a session overlaps its workspace, and which restrictions follow.
import { closeSync, fstatSync, openSync, type Stats } from 'node:fs';
import { openBeneathDescriptor } from '../../host/fs/beneath.ts';
import { treeLocation } from '../../host/fs/meta/tree-location.ts';
import { O_PATH_DIRECTORY } from '../../host/linux/constants.ts';
import type { Libc } from '../../host/linux/libc.ts';
import {
  type ExtraMountGuards,
  extraMountGuards,
  hasRules,
  lockedInside,
  mountError,
  noGuards,
  type Overlap,
  overlapOf,
  refuseAboveGit,
  type WorkspaceRules,
} from '../../session/protect/overlap.ts';
import type { OpenMount } from '../mounts/open-mount.ts';

const retryHint = 'It has just changed; try again.';

/** `workspace` is the mount point of the workspace. Throws `unprotected-path`. */
export function restrictAdditionalMount(
  libc: Pick<Libc, 'openat2'>,
  workspace: string,
  mount: OpenMount,
  bound: WorkspaceRules,
): ExtraMountGuards {
  if (!hasRules(bound)) return noGuards;
  const fd = openDirectory(workspace);
  if (fd === undefined) throw unknownOverlap(mount);
  try {
    const overlap = overlapWith(fd, workspace, mount);
    const { readonly } = mount.request;
    const inside = extraMountGuards(overlap, { source: mount.source.path, readonly }, bound);
    // Last: if a secret path hides the directory, only its cover can be compared.
    verifyOverlap(libc, fd, mount, overlap);
    return inside;
  } finally {
    closeSync(fd);
  }
}

/** `common` is the mount point of the git directory. Returns what must be read-only as a whole. Throws `unprotected-path`. */
export function restrictMountAroundGit(
  common: string,
  mount: OpenMount,
  whole: readonly string[],
): readonly string[] {
  const fd = openDirectory(common);
  if (fd === undefined) throw unknownOverlap(mount);
  try {
    const { readonly } = mount.request;
    const overlap = overlapWith(fd, common, mount);
    refuseAboveGit(overlap, { source: mount.source.path, readonly });
    return lockedInside(overlap, { source: mount.source.path, readonly }, whole);
  } finally {
    closeSync(fd);
  }
}

function overlapWith(workspace: number, mountPoint: string, mount: OpenMount): Overlap {
  const [own, other] = [treeLocation(workspace), treeLocation(mount.source.fd)];
  // If it is not mounted, this is coid's own empty directory.
  if (!own || !other || own.mountPoint !== mountPoint) throw unknownOverlap(mount);
  const overlap = overlapOf(own, other);
  return 'path' in overlap ? { ...overlap, path: fromLatin1(overlap.path) } : overlap;
}

/** Checks by device and inode that the path leads there. */
function verifyOverlap(
  libc: Pick<Libc, 'openat2'>,
  workspace: number,
  { source }: OpenMount,
  overlap: Overlap,
): void {
  const own = fstatSync(workspace);
  const found = () => {
    switch (overlap.kind) {
      case 'apart':
        return !isSame(own, source.stats);
      case 'same':
        return isSame(own, source.stats);
      case 'below':
        return leadsTo(libc, workspace, overlap.path, source.stats);
      case 'above':
        return leadsTo(libc, source.fd, overlap.path, own);
    }
  };
  if (!found())
    throw mountError(source.path, 'overlaps with the workspace in an unknown way', retryHint);
}

function leadsTo(
  libc: Pick<Libc, 'openat2'>,
  from: number,
  path: string,
  { dev, ino }: Stats,
): boolean {
  using below = openBeneathDescriptor(libc, from);
  const stats = below.stats(path);
  return stats !== undefined && isSame(stats, { dev, ino });
}

function isSame(one: Pick<Stats, 'dev' | 'ino'>, other: Pick<Stats, 'dev' | 'ino'>): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

function unknownOverlap({ source }: OpenMount) {
  return mountError(
    source.path,
    'cannot be compared with the workspace, parts of which are protected or hidden',
    retryHint,
  );
}

/** In the encoding of request paths. */
function fromLatin1(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function openDirectory(path: string): number | undefined {
  try {
    return openSync(path, O_PATH_DIRECTORY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
