// Decides how to handle a session's DNS query. Pure.
import { type AddressRange, addressText } from '../../addresses/ipv4.ts';
import {
  findRange,
  metadataRanges,
  privateNetworks,
  unroutableRanges,
} from '../../addresses/ranges.ts';
import { matchesName } from '../entry.ts';
import { blocksPrivate, type NetworkPolicy } from '../policy.ts';

import type { Question } from './question.ts';

export type DnsVerdict =
  /** The user configured an address for the name. */
  | { readonly kind: 'fixed'; readonly addresses: readonly string[] }
  /** Resolved upstream; the addresses are checked and opened before the reply. */
  | { readonly kind: 'resolve' }
  /** Forwarded unchanged; opens nothing. */
  | { readonly kind: 'pass' }
  /** The name is allowed, but sessions get no records of that type. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'refused'; readonly reason: string };

/** Sessions have no IPv6, and the records of RFC 9460 contain addresses that would bypass the check. */
const closedTypes = new Set(['AAAA', 'HTTPS', 'SVCB', 'UNKNOWN_64', 'UNKNOWN_65', 'A6']);
const passedTypes = new Set(['CNAME', 'TXT', 'MX', 'SRV', 'NS', 'SOA', 'CAA', 'NAPTR']);

export function dnsVerdict(
  { name, type }: Pick<Question, 'name' | 'type'>,
  policy: NetworkPolicy,
): DnsVerdict {
  const fixed = policy.hosts.filter(({ names }) => names.includes(name));
  if (fixed.length > 0)
    return type === 'A'
      ? { kind: 'fixed', addresses: fixed.map(({ address }) => addressText(address)) }
      : { kind: 'empty' };
  if (policy.mode !== 'allowlist')
    return closedTypes.has(type) ? { kind: 'empty' } : { kind: 'pass' };
  if (!policy.allow.some((entry) => matchesName(entry, name)))
    return { kind: 'refused', reason: nameRefused(name) };
  if (type === 'A') return { kind: 'resolve' };
  if (closedTypes.has(type)) return { kind: 'empty' };
  return passedTypes.has(type)
    ? { kind: 'pass' }
    : {
        kind: 'refused',
        reason: `coi: queries of type ${type} are refused in allowlist mode.`,
      };
}

/** Why a resolved address of an allowed name stays closed; undefined if it may be opened. */
export function addressRefusal(
  address: number,
  policy: NetworkPolicy,
  attached: readonly AddressRange[],
): string | undefined {
  const range = findRange(address, unroutableRanges) ?? findRange(address, metadataRanges);
  if (range) return range.about;
  if (!blocksPrivate(policy)) return undefined;
  if (attached.some(({ from, to }) => from <= address && address <= to))
    return 'network of the host';
  return findRange(address, privateNetworks)?.about;
}

function nameRefused(name: string): string {
  return `coi: ${name} is not on this session's allowlist. On the host, \`coi network allow ${name}\` allows it temporarily, [network] allowed_domains in ~/.coi/config.toml permanently.`;
}
