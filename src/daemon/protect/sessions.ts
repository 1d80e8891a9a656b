// The guard of a session's workspace, from what its reservation or its record says.
import type { MountRecord, ProtectRequest } from '../../coid-api/session-protocol.ts';
import type { Source } from '../../host/fs/open-source.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { Instance } from '../../incus/shapes.ts';
import { boundOf } from '../../session/protect/overlap.ts';
import type { Ancestor } from '../../session/protect/protection-types.ts';
import { type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { Inside } from '../mounts/mount-trees.ts';
import type { OpenMount } from '../mounts/open-mount.ts';
import type { Leases } from '../reservations/leases.ts';
import { protectCommon } from './guard/shared-git-guard.ts';
import type { Keeper } from './workspace-guards.ts';

export type WorkspaceOwner = Pick<MountRecord, 'id' | 'ownerUid' | 'ownerGid'>;

/** Guards an opened workspace; gives the directories that need a mount of their own. Throws `unprotected-path`. */
function protectWorkspace(
  keeper: Pick<Keeper, 'protect'>,
  { id, ownerUid, ownerGid }: WorkspaceOwner,
  root: Source | undefined,
  request: ProtectRequest | undefined,
): readonly Ancestor[] {
  if (!root || !request) return [];
  return keeper.protect(id, root, request, { uid: ownerUid, gid: ownerGid });
}

/** Guards what was opened for a session: its workspace, and git's directory elsewhere. Throws `unprotected-path`. */
export function protectOpened(
  parts: { readonly keeper: Pick<Keeper, 'protect'>; readonly libc: Libc },
  owner: WorkspaceOwner,
  opened: readonly OpenMount[],
  { protect, secrets }: Pick<MountRecord, 'protect' | 'secrets'>,
): Inside {
  const root = opened.find(({ request }) => request.name === 'workspace')?.source;
  const common = opened.find(({ request }) => request.git !== undefined);
  const ancestors = protectWorkspace(parts.keeper, owner, root, protect);
  return {
    ancestors,
    secrets,
    readonlyGit: protect?.readonlyGit,
    watch: protect?.mode === 'watch',
    bound: boundOf(protect, secrets, ancestors),
    common: common && protectCommon(parts, owner, common, protect),
  };
}

export interface ProtectionParts {
  readonly keeper: Pick<Keeper, 'release'>;
  readonly leases: Pick<Leases, 'all'>;
  /** Guards the workspace of a running session, if it is not; may throw. */
  readonly guardAgain: (session: SessionRecord) => void;
  readonly log: Log;
  readonly runDir: string;
}

/** Workspaces are guarded while something runs in them, and not longer. Says in how many ms to look again. */
export function followProtection(
  { keeper, guardAgain, leases, log, runDir }: ProtectionParts,
  instances: readonly Instance[],
): number | undefined {
  const live = new Set(leases.all().map(({ reservation }) => reservation.id));
  for (const { name, status, config } of instances) {
    const session = sessionRecord(config);
    if (status === 'Stopped' || session?.mounts.runDir !== runDir) continue;
    live.add(session.mounts.id);
    try {
      guardAgain(session);
    } catch (error) {
      log('error', 'protection-failed', { name, error });
    }
  }
  return keeper.release(live);
}
