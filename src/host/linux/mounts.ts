// Bind mounts through the kernel's mount API: every step uses a descriptor, so nothing can be swapped meanwhile.
// Source: open_tree(2), mount_setattr(2), move_mount(2).
import { closeSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { O_CLOEXEC } from './constants.ts';
import { type Libc, SystemCallError } from './libc.ts';

export type MountKind = 'idmapped' | 'plain';

export interface BindMount {
  /** A descriptor of the mount source (O_PATH is enough). */
  readonly source: number;
  /** An existing path that only root can change, or a descriptor of the directory. */
  readonly target: string | number;
  readonly readonly: boolean;
  /** The user namespace with the id map. */
  readonly namespace: number;
}

const OPEN_TREE_CLONE = 1;
const MOUNT_ATTR_RDONLY = 1n;
const MOUNT_ATTR_NOSUID = 2n;
const MOUNT_ATTR_NODEV = 4n;
const MOUNT_ATTR_IDMAP = 0x100000n;
/** The clone must leave the peer group of its source: otherwise later mounts there would appear here, without an id map. */
const MS_PRIVATE = 0x40000n;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
const unmappable = ['EINVAL', 'EPERM'];

/** Whether the file system of the descriptor supports id maps: tried on a detached mount. Throws SystemCallError. */
export function canMapIds(libc: Libc, source: number, namespace: number): boolean {
  const tree = libc.openTree(source, OPEN_TREE_CLONE | O_CLOEXEC);
  try {
    return setAttributes(libc, tree, 0n, namespace) === 'idmapped';
  } finally {
    closeSync(tree);
  }
}

/** Mounts without submounts, nosuid and nodev; `plain` where the file system cannot be idmapped. Throws SystemCallError. */
export function bindMount(libc: Libc, mount: BindMount): MountKind {
  const tree = libc.openTree(mount.source, OPEN_TREE_CLONE | O_CLOEXEC);
  try {
    const attributes =
      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (mount.readonly ? MOUNT_ATTR_RDONLY : 0n);
    const kind = setAttributes(libc, tree, attributes, mount.namespace);
    libc.moveMount(tree, mount.target);
    return kind;
  } finally {
    closeSync(tree);
  }
}

function setAttributes(libc: Libc, tree: number, attributes: bigint, namespace: number): MountKind {
  try {
    libc.mountSetattr(tree, mountAttr(attributes | MOUNT_ATTR_IDMAP, namespace));
    return 'idmapped';
  } catch (error) {
    // EINVAL: the file system does not support idmapped mounts. EPERM: this user namespace may not map it, or the mount has a
    // map already (systemd-homed homes, Incus's shifted mounts). Any other error is a failure.
    if (!(error instanceof SystemCallError && unmappable.includes(error.code))) throw error;
    libc.mountSetattr(tree, mountAttr(attributes, 0));
    return 'plain';
  }
}

/** struct mount_attr: attr_set, attr_clr, propagation, userns_fd. */
function mountAttr(set: bigint, namespace: number): Buffer {
  const attr = Buffer.alloc(32);
  attr.writeBigUInt64LE(set, 0);
  attr.writeBigUInt64LE(MS_PRIVATE, 16);
  attr.writeBigUInt64LE(BigInt(namespace), 24);
  return attr;
}

/**
 * Unmounts and removes mount points in a directory, all or the named ones, and the directory if it is then empty.
 * Removes empty directories only: after a failed unmount, the content belongs to somebody.
 */
export function removeMounts(
  libc: Libc,
  directory: string,
  names: readonly string[] = entries(directory),
): void {
  for (const name of names) {
    unmount(libc, `${directory}/${name}`);
    ignoreErrors(['ENOENT'], () => rmdirSync(`${directory}/${name}`));
  }
  ignoreErrors(['ENOENT', 'ENOTEMPTY'], () => rmdirSync(directory));
}

/** Unmounts everything at that path; a busy mount is detached and disappears with its last user. */
export function unmount(libc: Libc, target: string): void {
  // Mounts can be stacked; the loop ends when the path is no longer a mount point.
  for (let layers = 0; layers < 16; layers += 1) {
    try {
      libc.umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW);
    } catch (error) {
      if (error instanceof SystemCallError && (error.code === 'EINVAL' || error.code === 'ENOENT'))
        return;
      throw error;
    }
  }
}

/** Creates a directory for root only; accepts an existing one, which only root can have created. */
export function makeMountPoint(path: string): void {
  ignoreErrors(['EEXIST'], () => mkdirSync(path, { mode: 0o700 }));
}

/** All mount points of this mount namespace below a directory. */
export function mountPointsBelow(directory: string): Set<string> {
  return new Set(
    mountPoints(readFileSync('/proc/self/mountinfo', 'utf8')).filter((path) =>
      path.startsWith(`${directory}/`),
    ),
  );
}

/** The innermost mount at or above a path; of stacked mounts, the last. */
export function innermost<Mount extends { readonly point: string }>(
  mounts: Iterable<Mount>,
  path: string,
): Mount | undefined {
  let found: Mount | undefined;
  for (const one of mounts) {
    const isOver = one.point === '/' || path === one.point || path.startsWith(`${one.point}/`);
    if (isOver && one.point.length >= (found?.point.length ?? 0)) found = one;
  }
  return found;
}

/** The mount points in the text of /proc/<pid>/mountinfo (proc(5)): field 5. */
export function mountPoints(mountinfo: string): string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((field) => field !== undefined)
    .map(unescapedField);
}

/** Mount tables write spaces and backslashes as \040 and the like (proc(5)). */
export function unescapedField(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function entries(directory: string): string[] {
  return ignoreErrors(['ENOENT'], () => readdirSync(directory)) ?? [];
}

function ignoreErrors<T>(codes: readonly string[], run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (!codes.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return undefined;
  }
}
