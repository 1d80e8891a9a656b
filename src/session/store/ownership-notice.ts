// Notices about the host owner of the agent's files, if it is not simply the user. Pure.
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';

/** Notices to show before the agent writes, one sentence each; none in the usual case. */
export function ownershipNotices({
  ownerUid,
  mounts,
}: {
  readonly ownerUid: number;
  readonly mounts: readonly Pick<ReservedMount, 'name' | 'kind' | 'fileSystem'>[];
}): string[] {
  const plain = mounts
    .filter(({ kind }) => kind === 'plain')
    .map(({ name, fileSystem }) => (fileSystem === undefined ? name : `${name} (${fileSystem})`));
  const root =
    'The workspace belongs to root: files that the agent writes there belong to root on this host';
  const fixed = `Ids cannot be mapped on the file system of ${plain.join(', ')}`;
  if (ownerUid === 0)
    return plain.length === 0 ? [root] : [root, `${fixed}: the agent cannot write there`];
  return plain.length === 0 ? [] : [`${fixed}: the agent runs as uid ${ownerUid} of this host`];
}
