// Whether what has to be guarded can be, found before anything is changed: where ids cannot be mapped nothing can.
import type { MountRecord, ProtectRequest } from '../../../coid-api/session-protocol.ts';
import { belowDescriptor } from '../../../host/fs/beneath.ts';
import type { Source } from '../../../host/fs/open-source.ts';
import type { Libc } from '../../../host/linux/libc.ts';
import { protectionPlan } from '../../../session/protect/protection-plan.ts';
import type { Inside, MountTrees, TreeOwner } from '../../mounts/mount-trees.ts';
import type { OpenMount } from '../../mounts/open-mount.ts';
import type { RemoteFiles } from '../../mounts/remote-files.ts';
import { protectOpened } from '../sessions.ts';
import { factsOf } from '../tree-facts.ts';
import type { Keeper } from '../workspace-guards.ts';
import { unguardable } from './refusal.ts';

export interface GuardParts {
  readonly keeper: Pick<Keeper, 'protect'>;
  readonly libc: Libc;
  readonly files: Pick<RemoteFiles, 'isHeld'>;
  readonly trees: Pick<MountTrees, 'canMapIds'>;
}

/** As `protectOpened`, but refuses first. Throws `unprotected-path`. */
export function guardOpened(
  parts: GuardParts,
  owner: TreeOwner,
  opened: readonly OpenMount[],
  wanted: Pick<MountRecord, 'protect' | 'secrets'>,
): Inside {
  const { protect } = wanted;
  for (const { request, source } of protect?.mode === 'guard' ? opened : []) {
    const isGits = request.git !== undefined;
    if (request.name !== 'workspace' && !isGits) continue;
    if (parts.trees.canMapIds(owner, source)) continue;
    if (isGits || (protect && hasAnything(parts, source, protect, owner)))
      throw unguardable(source);
  }
  return protectOpened(parts, owner, opened, wanted);
}

/** A workspace with nothing to protect in it needs no guard; what is made there later is only watched anywhere. */
function hasAnything(
  { libc, files }: Pick<GuardParts, 'libc' | 'files'>,
  { fd, path: root }: Source,
  request: ProtectRequest,
  { ownerUid: uid, ownerGid: gid }: TreeOwner,
): boolean {
  using below = belowDescriptor(libc, fd);
  const host = { places: new Map(), outside: new Map() };
  const looked = { libc, files, below, root, owner: { uid, gid }, ...host };
  const { ancestors, leaves, refused } = protectionPlan(request, factsOf(looked));
  return ancestors.length + leaves.length + refused.length > 0;
}
