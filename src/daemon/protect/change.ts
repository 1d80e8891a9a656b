// Puts one inode under guard, and takes it out again.
import { chmodSync, chownSync, fstatSync, type Stats } from 'node:fs';
import { aclAttribute, aclBytes, aclEntries, keepingRights } from '../../host/acl.ts';
import type { Libc } from '../../host/libc.ts';
import type { GuardKind } from '../../session/protect.ts';
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

export function beforeGuard(libc: Attributes, fd: number, by: GuardKind): Before {
  const { uid, gid, mode } = fstatSync(fd);
  const acl =
    by === 'owner' ? (libc.getxattr(pathOf(fd), aclAttribute)?.toString('hex') ?? '') : '';
  return { by, uid, gid, mode: mode & 0o7777, acl };
}

/** The inode of an open entry (no link) gets that id. Its user keeps the rights that it had as the owner. */
export function guard(
  libc: Attributes,
  fd: number,
  id: number,
  before: Before,
  mode: number,
): void {
  const path = pathOf(fd);
  if (before.by === 'group') {
    chownSync(path, keep, id);
    // A change of group may take bits away.
    chmodSync(path, mode);
    return;
  }
  // The id first: from here on nobody inside can change the list.
  chownSync(path, id, keep);
  chmodSync(path, mode);
  const entries = keepingRights(mode, aclEntries(Buffer.from(before.acl, 'hex')), before.uid);
  libc.setxattr(path, aclAttribute, aclBytes(entries));
}

export function unguard(libc: Attributes, fd: number, before: Before): void {
  const path = pathOf(fd);
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
