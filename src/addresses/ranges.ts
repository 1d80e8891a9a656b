// IPv4 ranges that are not on the internet, shared by the network guard and the monitor. Pure.
import { type AddressRange, contains, parseNetwork } from './ipv4.ts';

export interface NamedRange {
  readonly network: string;
  readonly range: AddressRange;
  readonly about: string;
}

function namedRange(network: string, about: string): NamedRange {
  const range = parseNetwork(network);
  if (!range) throw new Error(`${network} is not a network`);
  return { network, range, about };
}

/** Never a destination on the internet (RFC 6890), so no setting opens them. Documentation ranges are not listed: some networks use them. */
export const unroutableRanges: readonly NamedRange[] = [
  namedRange('0.0.0.0/8', 'this network'),
  namedRange('127.0.0.0/8', 'loopback'),
  namedRange('224.0.0.0/4', 'multicast'),
  namedRange('240.0.0.0/4', 'reserved or broadcast'),
];

/** Ranges in which clouds hand out credentials to any caller: link-local, and a few others (Azure, Oracle, Alibaba). */
export const metadataRanges: readonly NamedRange[] = [
  namedRange('169.254.0.0/16', 'link-local and metadata'),
  namedRange('168.63.129.16', 'Azure metadata'),
  namedRange('192.0.0.0/24', 'Oracle metadata'),
  namedRange('100.100.100.200', 'Alibaba metadata'),
];

/** Addresses in those ranges that hand out credentials. */
export const metadataServices: readonly string[] = [
  '169.254.169.254',
  '169.254.170.2',
  '168.63.129.16',
  '192.0.0.192',
  '100.100.100.200',
];

/** RFC 1918 and the shared range of RFC 6598, which VPNs and carriers use. */
export const privateNetworks: readonly NamedRange[] = [
  namedRange('10.0.0.0/8', 'private network'),
  namedRange('172.16.0.0/12', 'private network'),
  namedRange('192.168.0.0/16', 'private network'),
  namedRange('100.64.0.0/10', 'shared (carrier or VPN) network'),
];

/** The first of `ranges` that contains the address. */
export function findRange(address: number, ranges: readonly NamedRange[]): NamedRange | undefined {
  return ranges.find(({ range }) => contains(range, address));
}
