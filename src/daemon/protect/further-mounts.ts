// Looks how a further mount of a session lies to its workspace, and what it therefore gets inside.
import { closeSync, fstatSync, openSync, type Stats } from 'node:fs';
import { belowDescriptor } from '../../host/fs/beneath.ts';
import { treePlace } from '../../host/fs/meta/tree-place.ts';
import { O_PATH_DIRECTORY } from '../../host/linux/constants.ts';
import type { Libc } from '../../host/linux/libc.ts';
import {
  type Bound,
  bindsAnything,
  type FurtherInside,
  furtherInside,
  nothingInside,
  type Overlap,
  overlapOf,
  refusal,
  refuseAboveGit,
  wholeInside,
} from '../../session/protect/overlap.ts';
import type { OpenMount } from '../mounts/open-mount.ts';

const again = 'It changed just now; try again.';

/** `workspace` is where the workspace's own mount was made. Throws `unprotected-path`. */
export function insideOfFurther(
  libc: Pick<Libc, 'openat2'>,
  workspace: string,
  mount: OpenMount,
  bound: Bound,
): FurtherInside {
  if (!bindsAnything(bound)) return nothingInside;
  const fd = opened(workspace);
  if (fd === undefined) throw unknown(mount);
  try {
    const overlap = overlapWith(fd, workspace, mount);
    const { readonly } = mount.request;
    const inside = furtherInside(overlap, { source: mount.source.path, readonly }, bound);
    // Last: where something hidden is on the way, there is only its cover to compare with.
    verify(libc, fd, mount, overlap);
    return inside;
  } finally {
    closeSync(fd);
  }
}

/** `common` is where the mount of git's directory was made; gives what of it is held as a whole. Throws `unprotected-path`. */
export function insideAroundGit(
  common: string,
  mount: OpenMount,
  whole: readonly string[],
): readonly string[] {
  const fd = opened(common);
  if (fd === undefined) throw unknown(mount);
  try {
    const { readonly } = mount.request;
    const overlap = overlapWith(fd, common, mount);
    refuseAboveGit(overlap, { source: mount.source.path, readonly });
    return wholeInside(overlap, { source: mount.source.path, readonly }, whole);
  } finally {
    closeSync(fd);
  }
}

function overlapWith(workspace: number, mountPoint: string, mount: OpenMount): Overlap {
  const [own, other] = [treePlace(workspace), treePlace(mount.source.fd)];
  // Without its mount the directory is an empty one of coid's.
  if (!own || !other || own.mountPoint !== mountPoint) throw unknown(mount);
  const overlap = overlapOf(own, other);
  return 'path' in overlap ? { ...overlap, path: text(overlap.path) } : overlap;
}

/** The way that the names say leads there, by device and inode. */
function verify(
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
  if (!found()) throw refusal(source.path, 'overlaps with the workspace in an unknown way', again);
}

function leadsTo(
  libc: Pick<Libc, 'openat2'>,
  from: number,
  path: string,
  { dev, ino }: Stats,
): boolean {
  using below = belowDescriptor(libc, from);
  const stats = below.stats(path);
  return stats !== undefined && isSame(stats, { dev, ino });
}

function isSame(one: Pick<Stats, 'dev' | 'ino'>, other: Pick<Stats, 'dev' | 'ino'>): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

function unknown({ source }: OpenMount) {
  return refusal(
    source.path,
    'cannot be compared with the workspace, parts of which are protected or hidden',
    again,
  );
}

/** As the paths of a request are written. */
function text(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, O_PATH_DIRECTORY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
