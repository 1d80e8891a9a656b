// Guards and unguards one inode.
import { chmodSync, chownSync, fstatSync, type Stats } from 'node:fs';
import {
  type AclEntry,
  aclAttribute,
  aclKeepingRights,
  decodeAcl,
  encodeAcl,
} from '../../../host/fs/meta/posix-acl.ts';
import type { Libc } from '../../../host/linux/libc.ts';
import type { GuardKind } from '../../../session/protect/protection-types.ts';
import { guardIds } from './ids.ts';

type Attributes = Pick<Libc, 'getxattr' | 'setxattr' | 'removexattr'>;

/** The original attributes of an inode. */
export interface OriginalAttributes {
  readonly by: GuardKind;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** Its ACL in hexadecimal; empty if it has none. */
  readonly acl: string;
}

export function isGuarded(stats: Pick<Stats, 'uid' | 'gid'>, by: GuardKind, id: number): boolean {
  return (by === 'owner' ? stats.uid : stats.gid) === id;
}

/** Whether the inode has any guard. */
export function hasGuard({ uid, gid }: Pick<Stats, 'uid' | 'gid'>): boolean {
  return guardIds.includes(uid) || guardIds.includes(gid);
}

export function readAttributes(
  libc: Pick<Libc, 'getxattr'>,
  fd: number,
  by: GuardKind,
): OriginalAttributes {
  const stats = fstatSync(fd);
  const { uid, gid, mode } = stats;
  const acl =
    by === 'owner' && !stats.isSymbolicLink()
      ? (libc.getxattr(pathOf(fd), aclAttribute)?.toString('hex') ?? '')
      : '';
  return { by, uid, gid, mode: mode & 0o7777, acl };
}

/**
 * Changes the owner or group of an open inode to `id`. An ACL keeps the former owner's rights. `seenMode` is the mode when
 * `before` was read. Returns the actual original attributes, as they may have changed since. A link has no permissions:
 * it only gets the id.
 */
export function guardInode(
  libc: Attributes,
  fd: number,
  { id, modeMask, seenMode }: { id: number; modeMask: number; seenMode: number },
  before: OriginalAttributes,
): OriginalAttributes {
  const path = pathOf(fd);
  const byOwner = before.by === 'owner';
  const first = fstatSync(fd);
  if (first.isSymbolicLink()) {
    chownSync(path, byOwner ? id : unchanged, byOwner ? unchanged : id);
    return before;
  }
  // The ACL comes first, so that the user is never locked out in between.
  if (byOwner) libc.setxattr(path, aclAttribute, guardAcl(before, before.mode & modeMask));
  const listed = byOwner ? fstatSync(fd).mode : first.mode;
  // From here on nobody in the container can change the rest.
  chownSync(path, byOwner ? id : unchanged, byOwner ? unchanged : id);
  const found = fstatSync(fd).mode & 0o7777;
  // chown clears setuid and setgid.
  const special = before.mode & 0o7000;
  const mode = permissionsDiffer(found, listed)
    ? (found & 0o777) | special
    : permissionsDiffer(first.mode, seenMode)
      ? (first.mode & 0o777) | special
      : before.mode;
  const kept = mode & modeMask;
  if (byOwner) {
    // The ACL sets the other permissions; chmod would briefly narrow what it grants.
    if ((kept & 0o7000) !== (found & 0o7000)) chmodSync(path, (kept & 0o7000) | (found & 0o777));
    libc.setxattr(path, aclAttribute, guardAcl(before, kept));
  } else if (kept !== found) chmodSync(path, kept);
  return { ...before, mode };
}

function permissionsDiffer(one: number, other: number): boolean {
  return ((one ^ other) & 0o777) !== 0;
}

function guardAcl(before: OriginalAttributes, mode: number): Buffer {
  return encodeAcl(keepingAcl({ ...before, mode }));
}

/** The inode has the ACL of an unfinished guard. */
export function isUnfinished(
  libc: Pick<Libc, 'getxattr'>,
  fd: number,
  before: OriginalAttributes,
): boolean {
  if (before.by !== 'owner' || fstatSync(fd).isSymbolicLink()) return false;
  const list = libc.getxattr(pathOf(fd), aclAttribute);
  return list?.equals(guardAcl(before, before.mode)) ?? false;
}

/**
 * The original attributes of a file that replaced a guarded one: programs that rewrite a file (git, editors) copy the
 * visible permissions of the old one, which came from its guard. Undefined if the permissions differ.
 */
export function inheritedAttributes(
  { mode, acl }: OriginalAttributes,
  previous: OriginalAttributes | undefined,
): Pick<OriginalAttributes, 'mode' | 'acl'> | undefined {
  if (previous?.by !== 'owner') return undefined;
  const list = keepingAcl(previous);
  const mask = list.find(({ tag }) => tag === 'mask')?.permissions ?? 0;
  const shown = (previous.mode & ~0o070) | (mask << 3);
  const isCopy = acl === encodeAcl(list).toString('hex') || (acl === '' && mode === shown);
  return isCopy ? { mode: previous.mode, acl: previous.acl } : undefined;
}

/** The ACL that keeps the rights of the former owner. */
function keepingAcl({ mode, acl, uid }: OriginalAttributes): AclEntry[] {
  return aclKeepingRights(mode, decodeAcl(Buffer.from(acl, 'hex')), uid);
}

export function unguardInode(libc: Attributes, fd: number, before: OriginalAttributes): void {
  const path = pathOf(fd);
  if (fstatSync(fd).isSymbolicLink()) {
    chownSync(path, before.uid, before.gid);
    return;
  }
  if (before.by === 'owner') {
    if (before.acl === '') libc.removexattr(path, aclAttribute);
    else libc.setxattr(path, aclAttribute, Buffer.from(before.acl, 'hex'));
  }
  chownSync(path, before.uid, before.gid);
  chmodSync(path, before.mode);
}

const unchanged = -1;

/** Through the descriptor, so that a rename does not matter. */
function pathOf(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
