// If a file system does not support idmapped mounts (FUSE, NFS, 9p, …), the agent gets the owner's own ids by `raw.idmap`.
// Incus uses newuidmap(1), which allows the ids that /etc/subuid and /etc/subgid grant to root, read at each start.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import type { MountRecord, MountRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { rootHasId } from '../../host/linux/subordinate-ids.ts';
import { runCommand } from '../../host/process/run-command.ts';
import { quoted } from '../../names.ts';
import {
  type IdLine,
  idFiles,
  idLinesText,
  isSameLine,
  parseIdLines,
  singleIdsName,
} from '../../setup/id-lines.ts';
import type { Log } from '../log.ts';
import { writeState } from '../state-file.ts';

/** usermod waits some seconds for file locks. */
const usermodMs = 30_000;
const env = { PATH: '/usr/sbin:/sbin:/usr/bin:/bin', LC_ALL: 'C' };

export interface SessionMounts extends Pick<MountRecord, 'ownerUid' | 'ownerGid'> {
  readonly mounts: readonly ReservedMount[];
}

/**
 * Grants root those two ids if the mounts need them. Throws `mount-invalid` if the agent would have to be root of the
 * host.
 */
export async function allowOwnIds(
  {
    log,
    signal,
    stateDir,
  }: { readonly log: Log; readonly signal: AbortSignal; readonly stateDir: string },
  { ownerUid, ownerGid, mounts }: SessionMounts,
  requests: readonly MountRequest[],
): Promise<void> {
  const plain = mounts.filter(({ kind }) => kind === 'plain');
  if (ownerUid === 0) {
    const isReadonly = ({ name }: ReservedMount) =>
      requests.some((one) => one.name === name && one.readonly);
    const unusable = plain.find((mount) => !isReadonly(mount));
    if (unusable) throw rootOwnedError(unusable, requests);
    return;
  }
  const [first] = plain;
  if (first === undefined) return;
  const [subuid, subgid] = idFiles;
  const missing = [
    ...(rootHasId(subuid, ownerUid) ? [] : [{ path: subuid, flag: '-v', id: ownerUid }]),
    // Root's group is never mapped.
    ...(ownerGid === 0 || rootHasId(subgid, ownerGid)
      ? []
      : [{ path: subgid, flag: '-w', id: ownerGid }]),
  ];
  if (missing.length === 0) return;
  const output: string[] = [];
  const onLine = (line: string) => void output.push(line);
  const lines = missing.map(({ path, id }) => ({ path, line: `root:${id}:1` }));
  // Saved before the change; lines that were noted but never added do no harm.
  updateNoted(stateDir, (noted) => [...noted, ...lines]);
  // usermod locks both files, which useradd may be changing at this moment.
  const argv = ['usermod', ...missing.flatMap(({ flag, id }) => [flag, `${id}-${id}`]), 'root'];
  const { status } = await runCommand(argv, { timeoutMs: usermodMs, signal, env, onLine });
  if (status !== 0) {
    // Lines that the user adds by hand, as the hint says, must stay.
    const failed = lines.filter(({ path, line }) => !textOf(path)?.split('\n').includes(line));
    updateNoted(stateDir, (noted) =>
      noted.filter((one) => !failed.some((line) => isSameLine(one, line))),
    );
    throw new CoiError(
      'coid-failed',
      `could not grant root the ids that the file system of ${describeMount(first, requests)} needs${output.length > 0 ? `: ${output.join(' ')}` : ''}`,
      {
        hint: `Add the line root:${ownerUid}:1 to /etc/subuid${ownerGid === 0 ? '' : ` and root:${ownerGid}:1 to /etc/subgid`}.`,
      },
    );
  }
  log('info', 'own-ids-allowed', { uid: ownerUid, gid: ownerGid });
}

/** Saves for `coi setup --remove` which ids coid granted to root. */
function updateNoted(
  stateDir: string,
  change: (noted: readonly IdLine[]) => readonly IdLine[],
): void {
  const path = join(stateDir, singleIdsName);
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

function rootOwnedError(mount: ReservedMount, requests: readonly MountRequest[]): CoiError {
  return new CoiError(
    'mount-invalid',
    `the agent could not write to ${describeMount(mount, requests)}: it belongs to root and does not support idmapped mounts`,
    {
      hint: 'Let another account own it (for sshfs: `-o uid=1000,gid=1000`), or use a directory on a local disk.',
    },
  );
}

function describeMount(mount: ReservedMount, requests: readonly MountRequest[]): string {
  const source = requests.find(({ name }) => name === mount.name)?.source ?? '';
  return `${quoted(source)} (${mount.fileSystem ?? 'unknown'})`;
}
