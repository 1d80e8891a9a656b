// Which rule decides about a destination, in words: the same order as the rules in session-rules.ts. Pure.
import {
  type AddressRange,
  addressText,
  contains,
  networkText,
  parseAddress,
} from '../addresses/ipv4.ts';
import { metadata, privateNetworks, rangeOf, unroutable } from '../addresses/ranges.ts';
import { type AllowEntry, entryText, hasPort, matchesName, portsText } from './entry.ts';
import type { Permit } from './guarded-port.ts';
import { parseHostname } from './hostname.ts';
import { blocksPrivate, type NetworkPolicy } from './policy.ts';

/** A host name or an address, with a port if one was given. */
export interface Destination {
  readonly host: string;
  readonly port: number | undefined;
}

export interface Decision {
  readonly verdict: 'allowed' | 'refused';
  /** The rule's short name. */
  readonly rule: string;
  /** A sentence without a full stop. */
  readonly about: string;
  /** What to write, or to run, so that it is permitted; absent where nothing permits it. */
  readonly permit?: string;
}

export interface Reach {
  readonly policy: NetworkPolicy;
  readonly permits: readonly Permit[];
  readonly attached: readonly AddressRange[];
  /** The network of the bridge: other containers, and the host's own address. */
  readonly bridge?: AddressRange | undefined;
}

/** `host`, `host:port`, `1.2.3.4:80`; undefined for what is neither. */
export function parseDestination(text: string): Destination | undefined {
  const [, head = '', digits] = /^([^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = parseAddress(head) === undefined ? parseHostname(head) : head;
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535))) return undefined;
  return { host, port };
}

/** Judges a name without its addresses: in allowlist mode that decides, otherwise each address has to be judged. */
export function decideName({ host, port }: Destination, { policy }: Reach): Decision | undefined {
  if (policy.mode !== 'allowlist') return undefined;
  const fixed = policy.hosts.some(({ names }) => names.includes(host));
  if (fixed) return allowed('hosts', `${host} has an address in [[network.hosts]]`);
  const entries = policy.allow.filter((entry) => matchesName(entry, host));
  const entry = entries.find(({ ports }) => port === undefined || hasPort(ports, port));
  if (entry)
    return (
      portCap(port, policy) ?? allowed('allowed_domains', `${entryText(entry)} is on the list`)
    );
  if (entries[0])
    return refused(
      'allowed_domains',
      `${host} is on the list, but only for ${portsText(entries[0].ports).slice(1)}`,
      withPort(host, port),
    );
  return refused('allowed_domains', `${host} is not on the list`, withPort(host, port));
}

/** Judges an address, in the order of the rules. */
export function decideAddress({ host, port }: Destination, reach: Reach): Decision {
  const address = parseAddress(host);
  if (address === undefined) throw new Error(`${host} is no address`);
  const { policy, bridge } = reach;
  if (policy.mode === 'open') return allowed('open', 'in open mode nothing is refused');
  if (bridge && contains(bridge, address))
    return {
      verdict: 'refused',
      rule: 'host-and-containers',
      about: `${host} is the host or another container, which sessions never reach`,
    };
  const nowhere = rangeOf(address, unroutable);
  if (nowhere)
    return {
      verdict: 'refused',
      rule: 'unroutable',
      about: `${nowhere.network} is ${nowhere.about}`,
    };
  return portCap(port, policy) ?? byRange(address, port, reach) ?? byMode(address, port, policy);
}

function byRange(
  address: number,
  port: number | undefined,
  { policy, permits, attached }: Reach,
): Decision | undefined {
  const text = addressText(address);
  const cloud = policy.blockMetadata ? rangeOf(address, metadata) : undefined;
  if (cloud)
    return {
      verdict: 'refused',
      rule: 'block_metadata_endpoint',
      about: `${cloud.network} is ${cloud.about}`,
    };
  const open = permits.find(
    ({ range, ports }) => contains(range, address) && (port === undefined || hasPort(ports, port)),
  );
  if (open)
    return allowed('permit', `${networkText(open.range)} was opened with coi network allow`);
  const local = localAbout(address, attached);
  const host = policy.hosts.find(
    (one) => one.address === address && (port === undefined || hasPort(one.ports, port)),
  );
  if (host && (policy.mode === 'restricted' || policy.allowLocal || local === undefined))
    return allowed('hosts', `${text} is in [[network.hosts]]`);
  if (local === undefined || !blocksPrivate(policy)) return undefined;
  return refused('block_private_networks', local, withPort(text, port));
}

function byMode(address: number, port: number | undefined, policy: NetworkPolicy): Decision {
  if (policy.mode === 'restricted') return allowed('restricted', 'it is on the internet');
  const networks = policy.allow.filter(
    (entry): entry is AllowEntry & { kind: 'network' } =>
      entry.kind === 'network' && contains(entry.range, address),
  );
  const entry = networks.find(({ ports }) => port === undefined || hasPort(ports, port));
  if (entry) return allowed('allowed_domains', `${entryText(entry)} is on the list`);
  const text = withPort(addressText(address), port);
  return refused(
    'allowed_domains',
    `${text} is not on the list, unless a name that is leads there`,
    text,
  );
}

function withPort(host: string, port: number | undefined): string {
  return port === undefined ? host : `${host}:${port}`;
}

function portCap(port: number | undefined, { allowedPorts }: NetworkPolicy): Decision | undefined {
  if (port === undefined || hasPort(allowedPorts, port)) return undefined;
  return {
    verdict: 'refused',
    rule: 'allowed_ports',
    about: `port ${port} is not in allowed_ports`,
    permit: `[network] allowed_ports = [..., ${port}] in ~/.coi/config.toml`,
  };
}

function localAbout(address: number, attached: readonly AddressRange[]): string | undefined {
  const own = attached.find((range) => contains(range, address));
  if (own) return `${networkText(own)} is a network of this host`;
  const known = rangeOf(address, privateNetworks);
  return known && `${known.network} is a ${known.about}`;
}

function allowed(rule: string, about: string): Decision {
  return { verdict: 'allowed', rule, about };
}

function refused(rule: string, about: string, entry: string): Decision {
  const lasting =
    rule === 'allowed_domains'
      ? `[network] allowed_domains = [..., "${entry}"]`
      : '[network] allow_local_network_access = true';
  return {
    verdict: 'refused',
    rule,
    about,
    permit: `coi network allow ${entry} (for a while), or ${lasting} in ~/.coi/config.toml`,
  };
}
