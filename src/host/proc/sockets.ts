// Parses the socket files of a network namespace: /proc/<pid>/net/{tcp,tcp6,udp,udp6,snmp,sockstat}.
// Source: proc(5).

export interface SocketReading {
  readonly protocol: 'tcp' | 'udp';
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly state: SocketState;
  /** The owner's uid on the host. */
  readonly uid: number;
  readonly inode: string;
}

export type SocketState = 'established' | 'opening' | 'listening' | 'closing' | 'closed';

/** TCP states of the kernel (include/net/tcp_states.h); UDP sockets use 1 if connected and 7 otherwise. */
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

/** Parses the text of one table. */
export function parseSockets(text: string, protocol: 'tcp' | 'udp'): SocketReading[] {
  return text.split('\n').flatMap((line) => parseSocket(line, protocol) ?? []);
}

/** One line of a table; undefined for the header and for a closed connection within the container. */
export function parseSocket(line: string, protocol: 'tcp' | 'udp'): SocketReading | undefined {
  const match =
    /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) ([0-9A-F]{2}) \S+ \S+ \S+\s+(\d+)\s+\d+ (\d+)/.exec(
      line,
    );
  if (!match) return undefined;
  const [, local = '', localPort = '', remote = '', remotePort = '', state = '', uid, inode = '0'] =
    match;
  const remoteAddress = addressOf(remote);
  // A server benchmark leaves tens of thousands.
  const isOver = state === '06' && protocol === 'tcp';
  if (isOver && (remoteAddress.startsWith('127.') || remoteAddress === '::1')) return undefined;
  return {
    protocol,
    localAddress: addressOf(local),
    localPort: Number.parseInt(localPort, 16),
    remoteAddress,
    remotePort: Number.parseInt(remotePort, 16),
    state: states[state] ?? 'closed',
    uid: Number(uid),
    inode,
  };
}

/** A cache by hexadecimal form: most sockets share a few addresses. */
const addresses = new Map<string, string>();
const addressesMax = 4096;

function addressOf(hex: string): string {
  const known = addresses.get(hex);
  if (known !== undefined) return known;
  if (addresses.size >= addressesMax) addresses.clear();
  const address = writtenAddress(hex);
  addresses.set(hex, address);
  return address;
}

/** The kernel prints addresses as 32-bit words in host byte order (little-endian on all supported platforms). */
function writtenAddress(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  for (let word = 0; word + 4 <= bytes.length; word += 4) bytes.subarray(word, word + 4).reverse();
  if (bytes.length === 4) return bytes.join('.');
  const mapped =
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  if (mapped) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    bytes.readUInt16BE(2 * index).toString(16),
  );
  // URL produces the shortest form of an IPv6 address (RFC 5952).
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

export interface InUse {
  readonly tcp: number;
  readonly tcp6: number;
  readonly udp: number;
  readonly udp6: number;
}

/** ActiveOpens to CurrEstab of snmp's second Tcp line: one of them changes whenever a connection opens, closes or fails. */
export function tcpOpens(snmp: string): string {
  return /^Tcp: (?:-?\d+ ){4}(\d+ \d+ \d+ \d+ \d+) /m.exec(snmp)?.[1] ?? '';
}

export function socketsInUse(sockstat: string): InUse {
  const count = (name: string) =>
    Number(new RegExp(`^${name}: inuse (\\d+)`, 'm').exec(sockstat)?.[1] ?? 1);
  return { tcp: count('TCP'), tcp6: count('TCP6'), udp: count('UDP'), udp6: count('UDP6') };
}
