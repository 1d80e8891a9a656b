// Whether what has to be guarded can be, found before anything is changed: where ids cannot be mapped nothing can.
import { constants, openSync } from 'node:fs';
import { Below } from '../../host/guarded.ts';
import type { Libc } from '../../host/libc.ts';
import type { Source } from '../../host/open-source.ts';
import type { ProtectRequest } from '../../session/protect-request.ts';
import { protectionPlan } from '../../session/protection-plan.ts';
import type { Inside, MountTrees, TreeOwner } from '../mount-trees.ts';
import type { MountRecord } from '../protocol.ts';
import type { RemoteFiles } from '../remote-files.ts';
import type { OpenMount } from '../sources.ts';
import type { Keeper } from './keeper.ts';
import { unguardable } from './refusal.ts';
import { protectOpened } from './sessions.ts';
import { factsOf } from './tree-facts.ts';

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
  const O_PATH_DIRECTORY = 0o10000000 | constants.O_DIRECTORY;
  using below = new Below(libc, openSync(`/proc/self/fd/${fd}`, O_PATH_DIRECTORY));
  const host = { places: new Map(), outside: new Map() };
  const looked = { libc, files, below, root, owner: { uid, gid }, ...host };
  const { ancestors, leaves, refused } = protectionPlan(request, factsOf(looked));
  return ancestors.length + leaves.length + refused.length > 0;
}
