// Finds the process that listens on a loopback port of this host.
import { readdirSync, readlinkSync } from 'node:fs';
import { readText } from '../linux/proc-file.ts';
import { directReader } from './bounded-read.ts';
import { programOf, socketInode } from './processes.ts';
import { parseSockets, type SocketReading } from './sockets.ts';

export interface PortHolder {
  readonly uid: number;
  /** Only for processes that this user may inspect. */
  readonly pid?: number;
  readonly program?: string;
}

/** The listener on the loopback or on all addresses; undefined if there is none. */
export function portHolder(port: number): PortHolder | undefined {
  const [first] = listeners(port);
  if (!first) return undefined;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || !holds(pid, first.inode)) continue;
    const program = programOf(pid, directReader);
    return { uid: first.uid, pid, ...(program ? { program } : {}) };
  }
  return { uid: first.uid };
}

const everywhere = new Set(['0.0.0.0', '127.0.0.1', '::', '::1']);

/** Listening sockets on the loopback or on all addresses. */
export function listeners(port: number): SocketReading[] {
  const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'];
  return tables
    .flatMap((table) => parseSockets(readText(table, { encoding: 'latin1' }) ?? '', 'tcp'))
    .filter(
      ({ state, localPort, localAddress }) =>
        state === 'listening' && localPort === port && everywhere.has(localAddress),
    );
}

function holds(pid: number, inode: string): boolean {
  const directory = `/proc/${pid}/fd`;
  try {
    return readdirSync(directory).some((fd) => socketInode(linkOf(`${directory}/${fd}`)) === inode);
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
