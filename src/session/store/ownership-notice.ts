// Whom on the host the agent's files belong to, where that is not just the user. Pure.
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';

/** What a person should know before the agent writes, one sentence each; nothing in the usual case. */
export function whoseFiles({
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
    'The workspace belongs to root: what the agent writes there belongs to root on this host';
  const fixed = `No ids can be mapped on the file system of ${plain.join(', ')}`;
  if (ownerUid === 0)
    return plain.length === 0 ? [root] : [root, `${fixed}: the agent cannot write there`];
  return plain.length === 0 ? [] : [`${fixed}: the agent runs as uid ${ownerUid} of this host`];
}
