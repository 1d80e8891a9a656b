// The owner of a session's files, and the rights with which coid opens them.
import type { MountRecord } from '../../coid-api/session-protocol.ts';
import type { FileIds } from '../../host/fs/open-mount-source.ts';
import { type Homes, withoutLinks } from '../../host/linux/accounts.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { Peer } from '../../host/linux/peer-credentials.ts';
import type { SensitivePaths } from '../../session/plan/mount-rules.ts';

export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** For root, the owner of the workspace, who should own what the agent writes. */
export function ownerOf(libc: Libc, peer: Peer, workspace: FileOwner | undefined): FileOwner {
  const uid = peer.uid === 0 ? (workspace?.uid ?? 0) : peer.uid;
  // Not the peer's current group: `sg` changes it temporarily.
  const gid = libc.account(uid)?.gid ?? (peer.uid === 0 ? workspace?.gid : peer.gid) ?? uid;
  return { uid, gid };
}

/** The rights of a container's owner. */
export function rightsOf(
  libc: Libc,
  { ownerUid, ownerGid }: Pick<MountRecord, 'ownerUid' | 'ownerGid'>,
): FileIds {
  const account = libc.account(ownerUid);
  return {
    uid: ownerUid,
    gid: ownerGid,
    groups: account ? libc.groups(account) : [ownerGid],
  };
}

export function sensitivePaths(
  {
    homes,
    libc,
    runDir,
    stateDir,
  }: {
    readonly homes: Homes;
    readonly libc: Libc;
    readonly runDir: string;
    readonly stateDir: string;
  },
  uid: number,
): SensitivePaths {
  // A directory service may know a user who is not in the password file.
  const own = libc.account(uid)?.home;
  return {
    homes: own && own !== '/' ? [...homes.list(), withoutLinks(own)] : homes.list(),
    runDir,
    stateDir,
  };
}
