// Guards the workspace of a session, as its reservation or record requires.
import type { MountRecord, ProtectRequest } from '../../coid-api/session-protocol.ts';
import type { OpenSource } from '../../host/fs/open-mount-source.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { Instance } from '../../incus/shapes.ts';
import { workspaceRules } from '../../session/protect/overlap.ts';
import type { Ancestor } from '../../session/protect/protection-types.ts';
import { type SessionRecord, sessionRecord } from '../../session/record/instance-record.ts';
import type { Log } from '../log.ts';
import type { SessionProtection } from '../mounts/mount-trees.ts';
import type { OpenMount } from '../mounts/open-mount.ts';
import type { Leases } from '../reservations/leases.ts';
import { protectCommon } from './guard/shared-git-guard.ts';
import type { WorkspaceGuards } from './workspace-guards.ts';

export type WorkspaceOwner = Pick<MountRecord, 'id' | 'ownerUid' | 'ownerGid'>;

/** Guards an opened workspace. Returns the directories that need their own mount. Throws `unprotected-path`. */
function protectWorkspace(
  workspaceGuards: Pick<WorkspaceGuards, 'protect'>,
  { id, ownerUid, ownerGid }: WorkspaceOwner,
  root: OpenSource | undefined,
  request: ProtectRequest | undefined,
): readonly Ancestor[] {
  if (!root || !request) return [];
  return workspaceGuards.protect(id, root, request, { uid: ownerUid, gid: ownerGid });
}

/** Guards a session's workspace and shared git directory. Throws `unprotected-path`. */
export function protectMounts(
  parts: { readonly workspaceGuards: Pick<WorkspaceGuards, 'protect'>; readonly libc: Libc },
  owner: WorkspaceOwner,
  opened: readonly OpenMount[],
  { protect, secrets }: Pick<MountRecord, 'protect' | 'secrets'>,
): SessionProtection {
  const root = opened.find(({ request }) => request.name === 'workspace')?.source;
  const common = opened.find(({ request }) => request.git !== undefined);
  const ancestors = protectWorkspace(parts.workspaceGuards, owner, root, protect);
  return {
    ancestors,
    secrets,
    readonlyGit: protect?.readonlyGit,
    watch: protect?.mode === 'watch',
    bound: workspaceRules(protect, secrets, ancestors),
    common: common && protectCommon(parts, owner, common, protect),
  };
}

export interface ProtectionParts {
  readonly workspaceGuards: Pick<WorkspaceGuards, 'release'>;
  readonly leases: Pick<Leases, 'all'>;
  /** Guards the workspace of a running session, unless it is guarded; may throw. */
  readonly restoreGuard: (session: SessionRecord) => void;
  readonly log: Log;
  readonly runDir: string;
}

/** Guards workspaces as long as sessions run in them. Returns in how many milliseconds to call it again. */
export function reconcileProtection(
  { workspaceGuards, restoreGuard, leases, log, runDir }: ProtectionParts,
  instances: readonly Instance[],
): number | undefined {
  const live = new Set(leases.all().map(({ reservation }) => reservation.id));
  for (const { name, status, config } of instances) {
    const session = sessionRecord(config);
    if (status === 'Stopped' || session?.mounts.runDir !== runDir) continue;
    live.add(session.mounts.id);
    try {
      restoreGuard(session);
    } catch (error) {
      log('error', 'protection-failed', { name, error });
    }
  }
  return workspaceGuards.release(live);
}
