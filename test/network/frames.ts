// Ethernet frames byte by byte, for spoofing tests.

const bytes = (text: string, separator: string, base: number) =>
  Buffer.from(text.split(separator).map((part) => Number.parseInt(part, base)));
export const mac = (text: string) => bytes(text, ':', 16);
export const ip = (text: string) => bytes(text, '.', 10);
export const broadcast = 'ff:ff:ff:ff:ff:ff';

const number16 = (value: number) => Buffer.from([value >> 8, value & 255]);

export interface UdpFrame {
  readonly to: string;
  readonly from: string;
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly port: number;
  readonly text: string;
}

/** A UDP datagram in an IPv4 packet in a frame, as hex. */
export function udpFrame(udp: UdpFrame): string {
  return ipFrame(udp, datagram(udp), 1, 0);
}

/** The same datagram in fragments of eight bytes: only the first has the ports. */
export function udpFragments(udp: UdpFrame, id: number): string[] {
  const whole = datagram(udp);
  const count = Math.ceil(whole.length / 8);
  return Array.from({ length: count }, (_, index) =>
    ipFrame(
      udp,
      whole.subarray(index * 8, index * 8 + 8),
      id,
      index | (index < count - 1 ? 0x2000 : 0),
    ),
  );
}

/** The UDP checksum is left out, as RFC 768 allows. */
function datagram({ sourcePort, port, text }: UdpFrame): Buffer {
  const data = Buffer.from(text);
  const head = [number16(sourcePort), number16(port), number16(8 + data.length), number16(0)];
  return Buffer.concat([...head, data]);
}

function ipFrame(
  { to, from, source, destination }: UdpFrame,
  payload: Buffer,
  id: number,
  fragment: number,
): string {
  const head = Buffer.concat([
    Buffer.from([0x45, 0]),
    ...[number16(20 + payload.length), number16(id), number16(fragment)],
    Buffer.from([64, 17, 0, 0]),
    ip(source),
    ip(destination),
  ]);
  head.writeUInt16BE(checksum(head), 10);
  return frame(to, from, 0x0800, Buffer.concat([head, payload]));
}

/** Gratuitous ARP (RFC 5944 section 4.6) to `to`: "`claimed` is at `claimedMac`", which a neighbour accepts at once. */
export function arpFrame({
  to,
  from,
  claimed,
  claimedMac,
}: {
  to: string;
  from: string;
  claimed: string;
  claimedMac: string;
}): string {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, 1]);
  const body = [head, mac(claimedMac), ip(claimed), Buffer.alloc(6), ip(claimed)];
  return frame(to, from, 0x0806, Buffer.concat(body));
}

/** A router advertisement to all nodes or, with another type, any ICMPv6 message. */
export function icmp6Frame({ from, type }: { from: string; type: number }): string {
  const source = Buffer.concat([
    Buffer.from('fe80000000000000', 'hex'),
    Buffer.from('0000000000000001', 'hex'),
  ]);
  const all = Buffer.from('ff020000000000000000000000000001', 'hex');
  const message = Buffer.from([type, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
  const pseudo = Buffer.concat([
    source,
    all,
    Buffer.from([0, 0, 0, message.length, 0, 0, 0, 58]),
    message,
  ]);
  message.writeUInt16BE(checksum(pseudo), 2);
  const head = Buffer.concat([
    Buffer.from([0x60, 0, 0, 0]),
    number16(message.length),
    Buffer.from([58, 255]),
    source,
    all,
  ]);
  return frame('33:33:00:00:00:01', from, 0x86dd, Buffer.concat([head, message]));
}

/** A frame of any type around a payload. */
export function frame(to: string, from: string, type: number, payload: Buffer): string {
  const whole = Buffer.concat([mac(to), mac(from), number16(type), payload]);
  return Buffer.concat([whole, Buffer.alloc(Math.max(0, 60 - whole.length))]).toString('hex');
}

function checksum(data: Buffer): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += 2) sum += (data[at] ?? 0) * 256 + (data[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
