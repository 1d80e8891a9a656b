// Explains which rule decides about a destination, in the order of the rules in destination-rules.ts. Pure.
import {
  type AddressRange,
  addressText,
  contains,
  networkText,
  parseAddress,
} from '../addresses/ipv4.ts';
import {
  findRange,
  metadataRanges,
  privateNetworks,
  unroutableRanges,
} from '../addresses/ranges.ts';
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
  /** The configuration or command that permits it; absent if nothing does. */
  readonly permit?: string;
}

export interface Reach {
  readonly policy: NetworkPolicy;
  readonly permits: readonly Permit[];
  readonly attached: readonly AddressRange[];
  /** The network of the bridge: other containers and the host's address. */
  readonly bridge?: AddressRange | undefined;
}

/** Parses `host`, `host:port` or `1.2.3.4:80`; undefined for anything else. */
export function parseDestination(text: string): Destination | undefined {
  const [, head = '', digits] = /^([^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = parseAddress(head) === undefined ? parseHostname(head) : head;
  const port = digits === undefined ? undefined : Number(digits);
  if (host === undefined || (port !== undefined && (port < 1 || port > 65_535))) return undefined;
  return { host, port };
}

/** Decides about a name without its addresses, in allowlist mode; undefined in other modes, which decide by address. */
export function decideName({ host, port }: Destination, { policy }: Reach): Decision | undefined {
  if (policy.mode !== 'allowlist') return undefined;
  const fixed = policy.hosts.some(({ names }) => names.includes(host));
  if (fixed) return allowed('hosts', `${host} has an address in [[network.hosts]]`);
  const entries = policy.allow.filter((entry) => matchesName(entry, host));
  const entry = entries.find(({ ports }) => port === undefined || hasPort(ports, port));
  if (entry)
    return (
      portCap(port, policy) ?? allowed('allowed_domains', `${entryText(entry)} is on the allowlist`)
    );
  if (entries[0])
    return refused(
      'allowed_domains',
      `${host} is on the allowlist, but only for ${portsText(entries[0].ports).slice(1)}`,
      withPort(host, port),
    );
  return refused('allowed_domains', `${host} is not on the allowlist`, withPort(host, port));
}

/** Decides about an address, in the order of the rules. */
export function decideAddress({ host, port }: Destination, reach: Reach): Decision {
  const address = parseAddress(host);
  if (address === undefined) throw new Error(`${host} is not an address`);
  const { policy, bridge } = reach;
  if (policy.mode === 'open') return allowed('open', 'in open mode nothing is refused');
  if (bridge && contains(bridge, address))
    return {
      verdict: 'refused',
      rule: 'host-and-containers',
      about: `${host} is the host or another container, which sessions can never reach`,
    };
  const nowhere = findRange(address, unroutableRanges);
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
  const cloud = policy.blockMetadata ? findRange(address, metadataRanges) : undefined;
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
  if (entry) return allowed('allowed_domains', `${entryText(entry)} is on the allowlist`);
  const text = withPort(addressText(address), port);
  return refused(
    'allowed_domains',
    `${text} is not on the allowlist; it is reachable only if an allowed name resolves to it`,
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
  const known = findRange(address, privateNetworks);
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
    permit: `coi network allow ${entry} (temporarily), or ${lasting} in ~/.coi/config.toml`,
  };
}
