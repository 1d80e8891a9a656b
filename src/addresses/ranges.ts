// Ranges of IPv4 that are not the internet. The guard and the monitor both go by them. Pure.
import { type AddressRange, contains, parseNetwork } from './ipv4.ts';

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
  named('10.0.0.0/8', 'private network'),
  named('172.16.0.0/12', 'private network'),
  named('192.168.0.0/16', 'private network'),
  named('100.64.0.0/10', 'shared (carrier or VPN) network'),
];

/** The one of `ranges` that holds the address. */
export function rangeOf(address: number, ranges: readonly NamedRange[]): NamedRange | undefined {
  return ranges.find(({ range }) => contains(range, address));
}
