// IPv4 addresses and networks as numbers, and the ranges of them that are not the internet. Pure.

/** Both ends are meant. */
export interface AddressRange {
  readonly from: number;
  readonly to: number;
}

/** undefined for anything but four decimal bytes: no octal, hexadecimal or shortened form is an address here. */
export function parseAddress(text: string): number | undefined {
  const parts = text.split('.');
  const isByte = (part: string) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256;
  if (parts.length !== 4 || !parts.every(isByte)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function addressText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** A network as `a.b.c.d/length`, or a single address; bits below the length are cleared. undefined for anything else. */
export function parseNetwork(text: string): AddressRange | undefined {
  const [head = '', length, ...rest] = text.split('/');
  const address = parseAddress(head);
  if (address === undefined || rest.length > 0) return undefined;
  if (length === undefined) return { from: address, to: address };
  if (!/^(?:[12]?\d|3[0-2])$/.test(length)) return undefined;
  const size = 2 ** (32 - Number(length));
  const from = address - (address % size);
  return { from, to: from + size - 1 };
}

/** `a.b.c.d` or `a.b.c.d/length` of a range that is a network. */
export function networkText({ from, to }: AddressRange): string {
  const length = 32 - Math.log2(to - from + 1);
  return length === 32 ? addressText(from) : `${addressText(from)}/${length}`;
}

export function contains({ from, to }: AddressRange, address: number): boolean {
  return from <= address && address <= to;
}

/** The same addresses as few ranges that neither touch nor overlap, in order. */
export function merged(ranges: readonly AddressRange[]): AddressRange[] {
  const out: AddressRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = out.at(-1);
    if (last && range.from <= last.to + 1)
      out[out.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    else out.push(range);
  }
  return out;
}

export interface NamedRange {
  readonly network: string;
  readonly range: AddressRange;
  readonly about: string;
}

function named(network: string, about: string): NamedRange {
  const range = parseNetwork(network);
  if (!range) throw new Error(`${network} is no network`);
  return { network, range, about };
}

/** Never a destination on the internet (RFC 6890), so no key opens them. Documentation ranges are left out: some networks use them. */
export const unroutable: readonly NamedRange[] = [
  named('0.0.0.0/8', 'this network'),
  named('127.0.0.0/8', 'loopback'),
  named('224.0.0.0/4', 'multicast'),
  named('240.0.0.0/4', 'reserved or broadcast'),
];

/** Where clouds hand out credentials to whoever asks: link-local, and the few elsewhere (Azure, Oracle, Alibaba). */
export const metadata: readonly NamedRange[] = [
  named('169.254.0.0/16', 'link-local and metadata'),
  named('168.63.129.16', 'metadata of Azure'),
  named('192.0.0.0/24', 'metadata of Oracle'),
  named('100.100.100.200', 'metadata of Alibaba'),
];

/** RFC 1918 and the shared range of RFC 6598, which VPNs and carriers use. */
export const privateNetworks: readonly NamedRange[] = [
  named('10.0.0.0/8', 'private network'),
  named('172.16.0.0/12', 'private network'),
  named('192.168.0.0/16', 'private network'),
  named('100.64.0.0/10', 'shared (carrier or VPN) network'),
];

/** The one of `ranges` that holds the address. */
export function rangeOf(address: number, ranges: readonly NamedRange[]): NamedRange | undefined {
  return ranges.find(({ range }) => contains(range, address));
}
