// File systems that a program serves (FUSE): which of them a container made, and how their users are let go when the
// program does not answer. Sources: the kernel's Documentation/filesystems/fuse.rst (control filesystem), proc(5).
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import type { Allowance, Steps } from './allowance.ts';
import type { Libc } from './libc.ts';
import { readText } from './read-text.ts';

export interface HostIds {
  readonly first: number;
  readonly count: number;
}

/** Where the kernel's control file system is on most hosts. */
const usualPlace = '/sys/fs/fuse/connections';
/** Of one mount namespace. */
const tableBytesMax = 16 * 1024 * 1024;

/** Numbers of the connections that the text of a `mountinfo` shows: minor numbers of the devices of FUSE mounts. */
export function fuseConnections(mountinfo: string): number[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type = ''] = after.split(' ');
    const minor = /^\d+ \d+ 0:(\d+) /.exec(before)?.[1];
    return minor !== undefined && /^fuse(?:\.|$)/.test(type) ? [Number(minor)] : [];
  });
}

/**
 * Connections that processes of a container have mounted and that were made in its user namespace. The kernel lets a
 * namespace name only ids of its own as the owner of a connection, so what the host mounted, and lxcfs, is never among them.
 */
export function* connectionsOf(
  pids: readonly number[],
  ids: HostIds,
  control: string,
  allowance: Allowance,
): Steps<number[]> {
  const namespaces = new Set<string>();
  const found = new Set<number>();
  for (const pid of pids) {
    // What is ending has none any more, and no mounts.
    const namespace = namespaceOf(pid);
    if (namespace === undefined || namespaces.has(namespace)) continue;
    namespaces.add(namespace);
    const text = readText(`/proc/${pid}/mountinfo`, { maxBytes: tableBytesMax });
    for (const connection of fuseConnections(text ?? '')) found.add(connection);
    yield* allowance.turn();
  }
  return [...found].filter((connection) => isOwned(`${control}/${connection}`, ids));
}

/** All who wait for an answer get an error. False if it is gone. */
export function abortConnection(control: string, connection: number): boolean {
  try {
    writeFileSync(`${control}/${connection}/abort`, '1');
    return true;
  } catch {
    return false;
  }
}

/** Hands on where the connections of this kernel are. Throws SystemCallError where it has no FUSE. */
export function withControl<Result>(
  libc: Pick<Libc, 'mountOf'>,
  use: (control: string) => Promise<Result>,
): Promise<Result> {
  if (hasEntries(usualPlace)) return use(usualPlace);
  const mounted = libc.mountOf('fusectl');
  return use(`/proc/self/fd/${mounted.fd}`).finally(() => mounted.close());
}

function hasEntries(path: string): boolean {
  try {
    return readdirSync(path).length > 0;
  } catch {
    return false;
  }
}

function namespaceOf(pid: number): string | undefined {
  try {
    return String(statSync(`/proc/${pid}/ns/mnt`).ino);
  } catch {
    return undefined;
  }
}

function isOwned(path: string, { first, count }: HostIds): boolean {
  try {
    const { uid } = statSync(path);
    return uid >= first && uid < first + count;
  } catch {
    return false;
  }
}
