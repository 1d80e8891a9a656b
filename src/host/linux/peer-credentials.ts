// The credentials of a unix socket's peer, from the kernel. Source: unix(7), SO_PEERCRED and SO_PEERGROUPS.
import type { Socket } from 'node:net';
import type { Libc } from './libc.ts';

export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;
const groupsMax = 1024;

/** The peer at the time of connecting. Throws SystemCallError. */
export function peerOf(libc: Libc, socket: Socket): Peer {
  const credentials = Buffer.alloc(12);
  const fd = descriptor(socket);
  libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials);
  const list = Buffer.alloc(4 * groupsMax);
  const bytes = libc.getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, list);
  return {
    pid: credentials.readInt32LE(0),
    uid: credentials.readUInt32LE(4),
    gid: credentials.readUInt32LE(8),
    groups: Array.from({ length: bytes / 4 }, (_, index) => list.readUInt32LE(4 * index)),
  };
}

/** Node has no public API for the descriptor of a socket. */
function descriptor(socket: Socket): number {
  const fd = (socket as Socket & { _handle?: { fd?: number } })._handle?.fd;
  if (fd === undefined || fd < 0) throw new Error('the socket has no descriptor');
  return fd;
}
