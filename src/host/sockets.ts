// Sockets of a network namespace, from outside of it: /proc/<pid>/net/{tcp,tcp6,udp,udp6}. Source: proc(5).
// Reading a TCP table walks the whole hash of the host (2.5 ms here), so it is read anew only when counters say that
// connections came or went; those cost 50 µs.
import { readText } from './read-text.ts';

export interface SocketReading {
  readonly protocol: 'tcp' | 'udp';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly state: SocketState;
  /** uid in the container's ids as the host sees them. */
  readonly uid: number;
  readonly inode: string;
}

export type SocketState = 'established' | 'opening' | 'listening' | 'closing' | 'closed';

/** TCP states of the kernel (include/net/tcp_states.h); udp sockets use 1 for connected and 7 for not. */
const states: Readonly<Record<string, SocketState>> = {
  '01': 'established',
  '02': 'opening',
  '03': 'opening',
  '04': 'closing',
  '05': 'closing',
  '06': 'closed',
  '07': 'closed',
  '08': 'closing',
  '09': 'closing',
  '0A': 'listening',
  '0B': 'closing',
};
const tableBytesMax = 4 * 1024 * 1024;

/** Parses the text of one table. */
export function parseSockets(text: string, protocol: 'tcp' | 'udp'): SocketReading[] {
  return text.split('\n').flatMap((line) => {
    const match =
      /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]{2}) \S+ \S+ \S+\s+(\d+)\s+\d+ (\d+)/.exec(
        line,
      );
    if (!match) return [];
    const [
      ,
      localAddress = '',
      localPort = '',
      remoteAddress = '',
      remotePort = '',
      state = '',
      uid,
      inode = '0',
    ] = match;
    return [
      {
        protocol,
        localAddress: addressOf(localAddress),
        localPort: Number.parseInt(localPort, 16),
        remoteAddress: addressOf(remoteAddress),
        remotePort: Number.parseInt(remotePort, 16),
        state: states[state] ?? 'closed',
        uid: Number(uid),
        inode,
      },
    ];
  });
}

/** The kernel prints addresses as 32-bit words in the machine's byte order (little-endian on all that coi runs on). */
function addressOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  for (let word = 0; word + 4 <= bytes.length; word += 4) bytes.subarray(word, word + 4).reverse();
  if (bytes.length === 4) return bytes.join('.');
  const mapped =
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (mapped) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    bytes.readUInt16BE(2 * index).toString(16),
  );
  // URL knows the shortest form of an IPv6 address (RFC 5952).
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

/** Inodes of the unix sockets of a process's namespace. */
export function unixInodes(pid: number): string[] {
  const text =
    readText(`/proc/${pid}/net/unix`, { encoding: 'latin1', maxBytes: tableBytesMax }) ?? '';
  return [
    ...text.matchAll(
      /^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{4} [0-9A-F]{2} +(\d+)/gm,
    ),
  ].map(([, inode]) => inode ?? '');
}

interface Kept {
  readonly opens: string;
  readonly inUse: InUse;
  readonly sockets: readonly SocketReading[];
}

export interface InUse {
  readonly tcp: number;
  readonly tcp6: number;
  readonly udp: number;
  readonly udp6: number;
}

/** A new listener or datagram socket shows only in the counts of sockets, which are looked at once in that many rounds. */
const countRounds = 4;

/** Sockets of several namespaces, each named by one process in it. */
export class SocketTables {
  #kept = new Map<string, Kept>();
  #round = 0;

  read(representatives: ReadonlyMap<string, number>): SocketReading[] {
    this.#round += 1;
    const next = new Map<string, Kept>();
    const all: SocketReading[] = [];
    for (const [namespace, pid] of representatives) {
      const one = this.#one(`/proc/${pid}/net`, this.#kept.get(namespace));
      if (!one) continue;
      next.set(namespace, one);
      all.push(...one.sockets);
    }
    this.#kept = next;
    return all;
  }

  #one(net: string, kept: Kept | undefined): Kept | undefined {
    const snmp = readText(`${net}/snmp`, { encoding: 'latin1' });
    if (snmp === undefined) return undefined;
    const opens = tcpOpens(snmp);
    const unchanged = kept?.opens === opens;
    if (unchanged && this.#round % countRounds !== 0) return kept;
    const inUse = socketsInUse(
      `${readText(`${net}/sockstat`) ?? ''}${readText(`${net}/sockstat6`) ?? ''}`,
    );
    if (unchanged && sameCounts(kept.inUse, inUse) && inUse.udp + inUse.udp6 === 0) return kept;
    const sockets = (['tcp', 'tcp6', 'udp', 'udp6'] as const).flatMap((table) =>
      inUse[table] === 0 ? [] : tableOf(net, table),
    );
    return { opens, inUse, sockets };
  }
}

/** ActiveOpens to CurrEstab of snmp's second Tcp line: one of them changes whenever a connection comes, goes or fails. */
export function tcpOpens(snmp: string): string {
  return /^Tcp: (?:-?\d+ ){4}(\d+ \d+ \d+ \d+ \d+) /m.exec(snmp)?.[1] ?? '';
}

export function socketsInUse(sockstat: string): InUse {
  const count = (name: string) =>
    Number(new RegExp(`^${name}: inuse (\\d+)`, 'm').exec(sockstat)?.[1] ?? 1);
  return { tcp: count('TCP'), tcp6: count('TCP6'), udp: count('UDP'), udp6: count('UDP6') };
}

function sameCounts(one: InUse, other: InUse): boolean {
  return (
    one.tcp === other.tcp &&
    one.tcp6 === other.tcp6 &&
    one.udp === other.udp &&
    one.udp6 === other.udp6
  );
}

function tableOf(net: string, table: keyof InUse): SocketReading[] {
  const text = readText(`${net}/${table}`, { encoding: 'latin1', maxBytes: tableBytesMax });
  return text === undefined ? [] : parseSockets(text, table.startsWith('tcp') ? 'tcp' : 'udp');
}
