// Puts one inode under guard, and takes it out again.
import { chmodSync, chownSync, fstatSync, type Stats } from 'node:fs';
import {
  type AclEntry,
  aclAttribute,
  aclBytes,
  aclEntries,
  keepingRights,
} from '../../../host/fs/meta/posix-acl.ts';
import type { Libc } from '../../../host/linux/libc.ts';
import type { GuardKind } from '../../../session/protect/protection-types.ts';
import { guardIds } from './ids.ts';

type Attributes = Pick<Libc, 'getxattr' | 'setxattr' | 'removexattr'>;

/** What an inode was before. */
export interface Before {
  readonly by: GuardKind;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** Its access control list in hexadecimal; empty: none. */
  readonly acl: string;
}

export function isGuarded(stats: Pick<Stats, 'uid' | 'gid'>, by: GuardKind, id: number): boolean {
  return (by === 'owner' ? stats.uid : stats.gid) === id;
}

/** What is under any guard. */
export function hasGuard({ uid, gid }: Pick<Stats, 'uid' | 'gid'>): boolean {
  return guardIds.includes(uid) || guardIds.includes(gid);
}

export function beforeGuard(libc: Pick<Libc, 'getxattr'>, fd: number, by: GuardKind): Before {
  const stats = fstatSync(fd);
  const { uid, gid, mode } = stats;
  const acl =
    by === 'owner' && !stats.isSymbolicLink()
      ? (libc.getxattr(pathOf(fd), aclAttribute)?.toString('hex') ?? '')
      : '';
  return { by, uid, gid, mode: mode & 0o7777, acl };
}

/**
 * The inode of an open entry gets that id. Its user keeps the rights that it had as the owner. `seenMode` is what the
 * mode was when `before` was found out. Returns what it really was: it may have changed just before. A link has no rights
 * of its own: it only gets the id.
 */
export function guard(
  libc: Attributes,
  fd: number,
  { id, modeMask, seenMode }: { id: number; modeMask: number; seenMode: number },
  before: Before,
): Before {
  const path = pathOf(fd);
  const byOwner = before.by === 'owner';
  const first = fstatSync(fd);
  if (first.isSymbolicLink()) {
    chownSync(path, byOwner ? id : keep, byOwner ? keep : id);
    return before;
  }
  // The rights of the user as somebody else come first, so that nothing of theirs is refused in between.
  if (byOwner) libc.setxattr(path, aclAttribute, guardedList(before, before.mode & modeMask));
  const listed = byOwner ? fstatSync(fd).mode : first.mode;
  // From here on nobody inside can change the rest.
  chownSync(path, byOwner ? id : keep, byOwner ? keep : id);
  const found = fstatSync(fd).mode & 0o7777;
  // A change of owner or group takes setuid and setgid away.
  const special = before.mode & 0o7000;
  const mode = isOther(found, listed)
    ? (found & 0o777) | special
    : isOther(first.mode, seenMode)
      ? (first.mode & 0o777) | special
      : before.mode;
  const kept = mode & modeMask;
  if (byOwner) {
    // The list brings the other permissions with it; without it, chmod would narrow what it grants for a moment.
    if ((kept & 0o7000) !== (found & 0o7000)) chmodSync(path, (kept & 0o7000) | (found & 0o777));
    libc.setxattr(path, aclAttribute, guardedList(before, kept));
  } else if (kept !== found) chmodSync(path, kept);
  return { ...before, mode };
}

function isOther(one: number, other: number): boolean {
  return ((one ^ other) & 0o777) !== 0;
}

function guardedList(before: Before, mode: number): Buffer {
  return aclBytes(listOf({ ...before, mode }));
}

/** It has the list that its guard begins with: a guard that was not finished. */
export function isBegun(libc: Pick<Libc, 'getxattr'>, fd: number, before: Before): boolean {
  if (before.by !== 'owner' || fstatSync(fd).isSymbolicLink()) return false;
  const list = libc.getxattr(pathOf(fd), aclAttribute);
  return list?.equals(guardedList(before, before.mode)) ?? false;
}

/**
 * What a file was before, which took the place of a guarded one: whoever writes a file anew (git, editors) gives it the
 * permissions that the old one seemed to have, and those were its list's. Undefined: it has others.
 */
export function inherited(
  { mode, acl }: Before,
  previous: Before | undefined,
): Pick<Before, 'mode' | 'acl'> | undefined {
  if (previous?.by !== 'owner') return undefined;
  const list = listOf(previous);
  const mask = list.find(({ tag }) => tag === 'mask')?.permissions ?? 0;
  const shown = (previous.mode & ~0o070) | (mask << 3);
  const isCopy = acl === aclBytes(list).toString('hex') || (acl === '' && mode === shown);
  return isCopy ? { mode: previous.mode, acl: previous.acl } : undefined;
}

/** The list that lets a file's former owner do what it could. */
function listOf({ mode, acl, uid }: Before): AclEntry[] {
  return keepingRights(mode, aclEntries(Buffer.from(acl, 'hex')), uid);
}

export function unguard(libc: Attributes, fd: number, before: Before): void {
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

const keep = -1;

/** By the descriptor, whatever the name of the entry is by now. */
function pathOf(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
