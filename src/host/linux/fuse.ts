// FUSE connections: finds those that a container made and aborts them, which unblocks their users when the server hangs.
// Sources: the kernel's Documentation/filesystems/fuse.rst (control filesystem), proc(5).
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import type { Allowance, Steps } from '../proc/allowance.ts';
import type { Libc } from './libc.ts';
import { readText } from './proc-file.ts';

export interface HostIds {
  readonly first: number;
  readonly count: number;
}

/** The mount point of the FUSE control file system on most hosts. */
const defaultControlPath = '/sys/fs/fuse/connections';
/** For one mount namespace. */
const tableBytesMax = 16 * 1024 * 1024;

/** Connection numbers in the text of a `mountinfo`: the minor device numbers of FUSE mounts. */
function fuseConnections(mountinfo: string): number[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type = ''] = after.split(' ');
    const minor = /^\d+ \d+ 0:(\d+) /.exec(before)?.[1];
    return minor !== undefined && /^fuse(?:\.|$)/.test(type) ? [Number(minor)] : [];
  });
}

/** Enough of a table to distinguish namespaces: its mount ids are unique to the namespace. */
const headBytes = 4000;

/**
 * Connections in the mount tables of these processes. Only `mountinfo` is read: reading a link like `ns/mnt` blocks on some
 * kernels during an exec of the process, which may itself wait for one of these connections.
 */
export function* connectionsMountedBy(
  pids: readonly number[],
  allowance: Allowance,
): Steps<Set<number>> {
  const heads = new Set<string>();
  const found = new Set<number>();
  for (const pid of pids) {
    const table = `/proc/${pid}/mountinfo`;
    const head = readText(table, { maxBytes: headBytes, encoding: 'latin1' });
    // A process that is ending has no mounts.
    if (!head || heads.has(head)) continue;
    heads.add(head);
    const text = readText(table, { maxBytes: tableBytesMax, encoding: 'latin1' });
    for (const connection of fuseConnections(text ?? '')) found.add(connection);
    yield* allowance.yieldIfDue();
  }
  return found;
}

/**
 * Connections owned by these ids. A user namespace can own connections with its own ids only, so mounts of the host, and
 * lxcfs, are never among them.
 */
export function connectionsOwnedBy({ first, count }: HostIds, control: string): number[] {
  return entriesOf(control).flatMap((name) => {
    const uid = ownerOf(`${control}/${name}`);
    return /^\d+$/.test(name) && uid >= first && uid < first + count ? [Number(name)] : [];
  });
}

/** All pending requests fail. False if the connection no longer exists. */
export function abortConnection(control: string, connection: number): boolean {
  try {
    writeFileSync(`${control}/${connection}/abort`, '1');
    return true;
  } catch {
    return false;
  }
}

/** Calls `use` with the directory of the kernel's FUSE connections. Throws SystemCallError if the kernel has no FUSE. */
export function withFuseControl<Result>(
  libc: Pick<Libc, 'newMount'>,
  use: (control: string) => Promise<Result>,
): Promise<Result> {
  if (entriesOf(defaultControlPath).length > 0) return use(defaultControlPath);
  const mounted = libc.newMount('fusectl');
  return use(`/proc/self/fd/${mounted.fd}`).finally(() => mounted.close());
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** -1 if the path does not exist. */
function ownerOf(path: string): number {
  try {
    return statSync(path).uid;
  } catch {
    return -1;
  }
}
