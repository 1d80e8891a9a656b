// The guard of a session's workspace, from what its reservation or its record says.
import type { Source } from '../../host/open-source.ts';
import { boundOf } from '../../session/overlap.ts';
import type { Ancestor } from '../../session/protect.ts';
import type { ProtectRequest } from '../../session/protect-request.ts';
import type { Inside } from '../mount-trees.ts';
import type { MountRecord } from '../protocol.ts';
import type { Keeper } from './keeper.ts';

export type WorkspaceOwner = Pick<MountRecord, 'id' | 'ownerUid' | 'ownerGid'>;

/** Guards an opened workspace; gives the directories that need a mount of their own. Throws `unprotected-path`. */
export function protectWorkspace(
  keeper: Pick<Keeper, 'protect'>,
  { id, ownerUid, ownerGid }: WorkspaceOwner,
  root: Source | undefined,
  request: ProtectRequest | undefined,
): readonly Ancestor[] {
  if (!root || !request) return [];
  return keeper.protect(id, root, request, { uid: ownerUid, gid: ownerGid });
}

/** What the mount of a workspace gets inside, besides the ancestors that were guarded. */
export function insideOf(
  ancestors: Inside['ancestors'],
  { protect, secrets }: Pick<MountRecord, 'protect' | 'secrets'>,
): Inside {
  return {
    ancestors,
    secrets,
    readonlyGit: protect?.readonlyGit,
    watch: protect?.mode === 'watch',
    bound: boundOf(protect, secrets),
  };
}
