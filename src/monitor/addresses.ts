// Classifies remote addresses.
import { BlockList, isIPv6 } from 'node:net';
import { metadataServices, privateNetworks } from '../addresses/ranges.ts';

export type AddressClass = 'self' | 'metadata' | 'link-local' | 'private' | 'public';

/** Addresses at which clouds hand out credentials to any caller. */
const metadata = [...metadataServices, 'fd00:ec2::254'];

function blockList(...subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address = '', bits] = subnet.split('/');
    list.addSubnet(address, Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return list;
}

const self = blockList('127.0.0.0/8', '0.0.0.0/32', '::1/128', '::/128');
const linkLocal = blockList('169.254.0.0/16', 'fe80::/10');
const privateRanges = blockList(...privateNetworks.map(({ network }) => network), 'fc00::/7');

export function classifyAddress(address: string): AddressClass {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (self.check(address, family)) return 'self';
  if (metadata.includes(address)) return 'metadata';
  if (linkLocal.check(address, family)) return 'link-local';
  return privateRanges.check(address, family) ? 'private' : 'public';
}

export interface Subnet {
  readonly address: string;
  readonly bits: number;
}

/** A cache: a container keeps the same subnets for many scans. */
const lists = new WeakMap<readonly Subnet[], BlockList>();

export function isWithin(address: string, subnets: readonly Subnet[]): boolean {
  if (subnets.length === 0) return false;
  const list =
    lists.get(subnets) ?? blockList(...subnets.map((one) => `${one.address}/${one.bits}`));
  lists.set(subnets, list);
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
