// What is done with a question of a session. Pure.
import { type AddressRange, addressText } from '../../addresses/ipv4.ts';
import { metadata, privateNetworks, rangeOf, unroutable } from '../../addresses/ranges.ts';
import { matchesName } from '../entry.ts';
import { blocksPrivate, type NetworkPolicy } from '../policy.ts';

import type { Question } from './question.ts';

export type DnsVerdict =
  /** The user gave the name an address. */
  | { readonly kind: 'fixed'; readonly addresses: readonly string[] }
  /** Asked for on the session's behalf; the addresses are checked and opened before the answer goes out. */
  | { readonly kind: 'resolve' }
  /** Asked for and passed on as it is: it opens nothing. */
  | { readonly kind: 'pass' }
  /** The name is fine, but there is nothing of that type for a session. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'refused'; readonly reason: string };

/** Sessions have no IPv6, and the records of RFC 9460 carry addresses past the check. */
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
        reason: `coi: questions of type ${type} are not answered in allowlist mode.`,
      };
}

/** Why an address that an allowed name was resolved to stays closed; undefined if it may be opened. */
export function addressRefusal(
  address: number,
  policy: NetworkPolicy,
  attached: readonly AddressRange[],
): string | undefined {
  const range = rangeOf(address, unroutable) ?? rangeOf(address, metadata);
  if (range) return range.about;
  if (!blocksPrivate(policy)) return undefined;
  if (attached.some(({ from, to }) => from <= address && address <= to))
    return 'network of the host';
  return rangeOf(address, privateNetworks)?.about;
}

function nameRefused(name: string): string {
  return `coi: ${name} is not on this session's allowlist. On the host, \`coi network allow ${name}\` opens it for a while, [network] allowed_domains in ~/.coi/config.toml for good.`;
}
