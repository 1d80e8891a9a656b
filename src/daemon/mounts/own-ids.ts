// Where ids cannot be mapped on a file system (FUSE, NFS, 9p, …), the agent gets the owner's own ids by `raw.idmap`. Incus
// maps with newuidmap, which hands out what /etc/subuid and /etc/subgid give to root (newuidmap(1)), read anew at each start.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { MountRecord, MountRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { rootHasId } from '../../host/linux/subordinate-ids.ts';
import { runCommand } from '../../host/process/run-program.ts';
import { quoted } from '../../names.ts';
import {
  type IdLine,
  idFiles,
  idLinesText,
  isSameLine,
  ownIdsName,
  parseIdLines,
} from '../../setup/id-lines.ts';
import type { Log } from '../log.ts';
import { writeState } from '../state-file.ts';

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
  {
    log,
    signal,
    stateDir,
  }: { readonly log: Log; readonly signal: AbortSignal; readonly stateDir: string },
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
  const [subuid, subgid] = idFiles;
  const missing = [
    ...(rootHasId(subuid, ownerUid) ? [] : [{ path: subuid, flag: '-v', id: ownerUid }]),
    // Root's group is nobody's in a container.
    ...(ownerGid === 0 || rootHasId(subgid, ownerGid)
      ? []
      : [{ path: subgid, flag: '-w', id: ownerGid }]),
  ];
  if (missing.length === 0) return;
  const said: string[] = [];
  const onLine = (line: string) => void said.push(line);
  const lines = missing.map(({ path, id }) => ({ path, line: `root:${id}:1` }));
  // Before they are made: what is noted and was not made in the end is not found later.
  note(stateDir, (noted) => [...noted, ...lines]);
  // It locks both files, as useradd does, which may be at work in them just now.
  const argv = ['usermod', ...missing.flatMap(({ flag, id }) => [flag, `${id}-${id}`]), 'root'];
  const { status } = await runCommand(argv, { timeoutMs: usermodMs, signal, env, onLine });
  if (status !== 0) {
    // Who adds it by hand now, as the hint says, keeps it.
    const failed = lines.filter(({ path, line }) => !textOf(path)?.split('\n').includes(line));
    note(stateDir, (noted) => noted.filter((one) => !failed.some((line) => isSameLine(one, line))));
    throw new CoiError(
      'coid-failed',
      `root could not be given the ids that the file system of ${placeOf(first, requests)} needs${said.length > 0 ? `: ${said.join(' ')}` : ''}`,
      {
        hint: `Add the line root:${ownerUid}:1 to /etc/subuid${ownerGid === 0 ? '' : ` and root:${ownerGid}:1 to /etc/subgid`}.`,
      },
    );
  }
  log('info', 'own-ids-allowed', { uid: ownerUid, gid: ownerGid });
}

/** For `coi setup --remove`: what root was given by coid, and by nobody before. */
function note(stateDir: string, change: (noted: readonly IdLine[]) => readonly IdLine[]): void {
  const path = join(stateDir, ownIdsName);
  const all = change(parseIdLines(textOf(path)));
  const once = all.filter((one, at) => all.findIndex((other) => isSameLine(one, other)) === at);
  writeState(path, idLinesText(once), { flush: true });
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
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
