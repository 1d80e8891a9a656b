// Where ids cannot be mapped on a file system (FUSE, NFS, 9p, …), the agent gets the owner's own ids by `raw.idmap`. Incus
// maps with newuidmap, which hands out what /etc/subuid and /etc/subgid give to root (newuidmap(1)), read anew at each start.
import { CoiError } from '../errors.ts';
import { runCommand } from '../host/command.ts';
import { rootHasId } from '../host/subordinate-ids.ts';
import { quoted } from '../names.ts';
import type { Log } from './log.ts';
import type { MountRecord, MountRequest, ReservedMount } from './protocol.ts';

/** It waits some seconds for whoever holds the locks. */
const usermodMs = 30_000;
const env = { PATH: '/usr/sbin:/sbin:/usr/bin:/bin', LC_ALL: 'C' };

export interface MadeMounts extends Pick<MountRecord, 'ownerUid' | 'ownerGid'> {
  readonly mounts: readonly ReservedMount[];
}

/**
 * Gives root those two ids, and no more, where the mounts need them and it has not got them. Throws `mount-invalid` where
 * that does not help: the agent would be root of this host.
 */
export async function allowOwnIds(
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
  { ownerUid, ownerGid, mounts }: MadeMounts,
  requests: readonly MountRequest[],
): Promise<void> {
  const plain = mounts.filter(({ kind }) => kind === 'plain');
  if (ownerUid === 0) {
    const isReadonly = ({ name }: ReservedMount) =>
      requests.some((one) => one.name === name && one.readonly);
    const unusable = plain.find((mount) => !isReadonly(mount));
    if (unusable) throw ofRoot(unusable, requests);
    return;
  }
  const [first] = plain;
  if (first === undefined) return;
  const missing = [
    ...(rootHasId('/etc/subuid', ownerUid) ? [] : ['-v', `${ownerUid}-${ownerUid}`]),
    // Root's group is nobody's in a container.
    ...(ownerGid === 0 || rootHasId('/etc/subgid', ownerGid)
      ? []
      : ['-w', `${ownerGid}-${ownerGid}`]),
  ];
  if (missing.length === 0) return;
  const said: string[] = [];
  const onLine = (line: string) => void said.push(line);
  // It locks both files, as useradd does, which may be at work in them just now.
  const argv = ['usermod', ...missing, 'root'];
  const { status } = await runCommand(argv, { timeoutMs: usermodMs, signal, env, onLine });
  if (status !== 0)
    throw new CoiError(
      'coid-failed',
      `root could not be given the ids that the file system of ${placeOf(first, requests)} needs${said.length > 0 ? `: ${said.join(' ')}` : ''}`,
      {
        hint: `Add the line root:${ownerUid}:1 to /etc/subuid${ownerGid === 0 ? '' : ` and root:${ownerGid}:1 to /etc/subgid`}.`,
      },
    );
  log('info', 'own-ids-allowed', { uid: ownerUid, gid: ownerGid });
}

function ofRoot(mount: ReservedMount, requests: readonly MountRequest[]): CoiError {
  return new CoiError(
    'mount-invalid',
    `the agent could not write in ${placeOf(mount, requests)}: it belongs to root, and ids cannot be mapped there`,
    {
      hint: 'Let another account own it (for sshfs: `-o uid=1000,gid=1000`), or use a directory on a local disk.',
    },
  );
}

function placeOf(mount: ReservedMount, requests: readonly MountRequest[]): string {
  const source = requests.find(({ name }) => name === mount.name)?.source ?? '';
  return `${quoted(source)} (${mount.fileSystem ?? 'unknown'})`;
}
