// Refuses a workspace that cannot be guarded before anything changes: without idmapped mounts nothing can be guarded.
import type { MountRecord, ProtectRequest } from '../../../coid-api/session-protocol.ts';
import { openBeneathDescriptor } from '../../../host/fs/beneath.ts';
import type { OpenSource } from '../../../host/fs/open-mount-source.ts';
import type { Libc } from '../../../host/linux/libc.ts';
import { protectionPlan } from '../../../session/protect/protection-plan.ts';
import type { MountTrees, SessionProtection, TreeOwner } from '../../mounts/mount-trees.ts';
import type { OpenMount } from '../../mounts/open-mount.ts';
import type { RemoteFileSystems } from '../../mounts/remote-file-systems.ts';
import { protectMounts } from '../session-protection.ts';
import { treeFacts } from '../tree-facts.ts';
import type { WorkspaceGuards } from '../workspace-guards.ts';
import { unguardableError } from './refusal.ts';

export interface GuardParts {
  readonly workspaceGuards: Pick<WorkspaceGuards, 'protect'>;
  readonly libc: Libc;
  readonly files: Pick<RemoteFileSystems, 'isUnresponsive'>;
  readonly trees: Pick<MountTrees, 'canMapIds'>;
}

/** Like `protectMounts`, but checks first whether it is possible. Throws `unprotected-path`. */
export function guardMounts(
  parts: GuardParts,
  owner: TreeOwner,
  opened: readonly OpenMount[],
  wanted: Pick<MountRecord, 'protect' | 'secrets'>,
): SessionProtection {
  const { protect } = wanted;
  for (const { request, source } of protect?.mode === 'guard' ? opened : []) {
    const isGits = request.git !== undefined;
    if (request.name !== 'workspace' && !isGits) continue;
    if (parts.trees.canMapIds(owner, source)) continue;
    if (isGits || (protect && hasProtectedPaths(parts, source, protect, owner)))
      throw unguardableError(source);
  }
  return protectMounts(parts, owner, opened, wanted);
}

/** A workspace without protected paths needs no guard; paths created later are only watched on any file system. */
function hasProtectedPaths(
  { libc, files }: Pick<GuardParts, 'libc' | 'files'>,
  { fd, path: root }: OpenSource,
  request: ProtectRequest,
  { ownerUid: uid, ownerGid: gid }: TreeOwner,
): boolean {
  using below = openBeneathDescriptor(libc, fd);
  const host = { locations: new Map(), outside: new Map() };
  const context = { libc, files, below, root, owner: { uid, gid }, ...host };
  const { ancestors, leaves, refused } = protectionPlan(request, treeFacts(context));
  return ancestors.length + leaves.length + refused.length > 0;
}
