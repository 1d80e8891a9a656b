// File systems that a program serves (FUSE): which of them a container made, and how their users are let go when the
// program does not answer. Sources: the kernel's Documentation/filesystems/fuse.rst (control filesystem), proc(5).
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import type { Allowance, Steps } from '../proc/allowance.ts';
import type { Libc } from './libc.ts';
import { readText } from './proc-file.ts';

export interface HostIds {
  readonly first: number;
  readonly count: number;
}

/** Where the kernel's control file system is on most hosts. */
const usualPlace = '/sys/fs/fuse/connections';
/** Of one mount namespace. */
const tableBytesMax = 16 * 1024 * 1024;

/** Numbers of the connections that the text of a `mountinfo` shows: minor numbers of the devices of FUSE mounts. */
function fuseConnections(mountinfo: string): number[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type = ''] = after.split(' ');
    const minor = /^\d+ \d+ 0:(\d+) /.exec(before)?.[1];
    return minor !== undefined && /^fuse(?:\.|$)/.test(type) ? [Number(minor)] : [];
  });
}

/** So much of a table tells namespaces apart: it names mounts by numbers that no other namespace has. */
const headBytes = 4000;

/**
 * Connections that these processes have mounted. Only `mountinfo` is read: for links like `ns/mnt` some kernels wait for
 * the exec of the process, which may wait for one of these connections.
 */
export function* mountedBy(pids: readonly number[], allowance: Allowance): Steps<Set<number>> {
  const heads = new Set<string>();
  const found = new Set<number>();
  for (const pid of pids) {
    const table = `/proc/${pid}/mountinfo`;
    const head = readText(table, { maxBytes: headBytes, encoding: 'latin1' });
    // What is ending has no mounts any more.
    if (!head || heads.has(head)) continue;
    heads.add(head);
    const text = readText(table, { maxBytes: tableBytesMax, encoding: 'latin1' });
    for (const connection of fuseConnections(text ?? '')) found.add(connection);
    yield* allowance.turn();
  }
  return found;
}

/**
 * Connections of these ids. The kernel lets a user namespace name only ids of its own as the owner of a connection, so
 * what the host mounted, and lxcfs, is never among them.
 */
export function ownedBy({ first, count }: HostIds, control: string): number[] {
  return entriesOf(control).flatMap((name) => {
    const uid = ownerOf(`${control}/${name}`);
    return /^\d+$/.test(name) && uid >= first && uid < first + count ? [Number(name)] : [];
  });
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
  if (entriesOf(usualPlace).length > 0) return use(usualPlace);
  const mounted = libc.mountOf('fusectl');
  return use(`/proc/self/fd/${mounted.fd}`).finally(() => mounted.close());
}

function entriesOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** -1 if it is gone. */
function ownerOf(path: string): number {
  try {
    return statSync(path).uid;
  } catch {
    return -1;
  }
}
