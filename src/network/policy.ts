// The network policy of a session: from the configuration, stored as JSON, parsed before it becomes rules. Pure.
import { addressText, mergeRanges, parseAddress } from '../addresses/ipv4.ts';
import type { NetworkMode, PolicyRecord } from '../coid-api/network-protocol.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { type AllowEntry, entryText, type PortRange, parseEntry } from './entry.ts';
import { parseHostname } from './hostname.ts';

/** An entry of [[network.hosts]]: names with a fixed address. */
export interface FixedHost {
  readonly address: number;
  readonly names: readonly string[];
  readonly ports: readonly PortRange[];
}

export interface NetworkPolicy {
  readonly mode: NetworkMode;
  /** The allowlist. An empty one allows nothing. */
  readonly allow: readonly AllowEntry[];
  readonly hosts: readonly FixedHost[];
  /** The name servers for this session; empty: those of the host. */
  readonly dnsServers: readonly number[];
  /** If not empty, TCP and UDP to other ports are refused for all destinations. */
  readonly allowedPorts: readonly PortRange[];
  readonly allowLocal: boolean;
  readonly blockPrivate: boolean;
  readonly blockMetadata: boolean;
}

/** The settings of `[network]`, with the keys of config/keys/access.ts. */
export interface NetworkSettings {
  readonly 'network.mode': NetworkMode;
  readonly 'network.block_private_networks': boolean;
  readonly 'network.block_metadata_endpoint': boolean;
  readonly 'network.allowed_domains': readonly string[];
  readonly 'network.allow_local_network_access': boolean;
  readonly 'network.dns_servers': readonly string[];
  readonly 'network.allowed_ports': readonly number[];
  readonly 'network.hosts': readonly {
    readonly ip: string;
    readonly hostnames: readonly string[];
    readonly ports: readonly number[];
  }[];
}

const entriesMax = 500;

/** The policy from the settings. Throws `config-invalid` for a policy that cannot be enforced. */
export function policyRecord(settings: NetworkSettings): PolicyRecord {
  // Open mode ignores the other settings.
  if (settings['network.mode'] === 'open') return defaultPolicy('open');
  const record: PolicyRecord = {
    mode: settings['network.mode'],
    // Only allowlist mode uses it, so it is not stored for other modes.
    allow:
      settings['network.mode'] === 'allowlist'
        ? settings['network.allowed_domains'].map((text) => entryText(parseEntry(text)))
        : [],
    hosts: settings['network.hosts'].map(({ ip, hostnames, ports }) => ({
      address: ip,
      names: hostnames,
      ports,
    })),
    dnsServers: settings['network.dns_servers'],
    allowedPorts: settings['network.allowed_ports'],
    allowLocal: settings['network.allow_local_network_access'],
    blockPrivate: settings['network.block_private_networks'],
    blockMetadata: settings['network.block_metadata_endpoint'],
  };
  networkPolicy(record);
  return record;
}

/** The default policy of a mode. */
export function defaultPolicy(mode: NetworkMode): PolicyRecord {
  return {
    mode,
    allow: [],
    hosts: [],
    dnsServers: [],
    allowedPorts: [],
    allowLocal: false,
    blockPrivate: true,
    blockMetadata: true,
  };
}

/** Allows nothing: used for a session whose policy cannot be read. */
export const closedPolicy: PolicyRecord = defaultPolicy('allowlist');

/** Parses all parts. Throws `config-invalid`. */
export function networkPolicy(record: PolicyRecord): NetworkPolicy {
  if (record.allow.length > entriesMax || record.hosts.length > entriesMax)
    throw new CoiError('config-invalid', `more than ${entriesMax} entries in [network]`);
  return {
    mode: record.mode,
    allow: record.allow.map(parseEntry),
    hosts: record.hosts.map(({ address, names, ports }) => ({
      address: ipv4(address),
      names: names.map(hostname),
      ports: portRanges(ports),
    })),
    dnsServers: record.dnsServers.map(ipv4),
    allowedPorts: portRanges(record.allowedPorts),
    allowLocal: record.allowLocal,
    blockPrivate: record.blockPrivate,
    blockMetadata: record.blockMetadata,
  };
}

/** The JSON form of a parsed policy. */
export function policyToRecord({
  allow,
  hosts,
  dnsServers,
  allowedPorts,
  ...rest
}: NetworkPolicy): PolicyRecord {
  return {
    ...rest,
    allow: allow.map(entryText),
    hosts: hosts.map(({ address, names, ports }) => ({
      address: addressText(address),
      names,
      ports: ports.flatMap(single),
    })),
    dnsServers: dnsServers.map(addressText),
    allowedPorts: allowedPorts.flatMap(single),
  };
}

function single({ from, to }: PortRange): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Parses `user.coi.policy`; undefined if it is not a policy. */
export function parsePolicyRecord(text: string): PolicyRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isPolicyRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads `user.coi.policy`. Anything but a valid policy of that mode means the closed policy. */
export function readPolicy(mode: NetworkMode, text: string | undefined): NetworkPolicy {
  try {
    const record = text === undefined ? defaultPolicy(mode) : parsePolicyRecord(text);
    if (record?.mode === mode) return networkPolicy(record);
  } catch {
    // Some parts cannot be parsed.
  }
  return networkPolicy(closedPolicy);
}

/** True if coid must answer the session's DNS queries instead of the bridge's name server. */
export function needsResolver(policy: NetworkPolicy): boolean {
  return (
    policy.mode === 'allowlist' ||
    (policy.mode === 'restricted' && (policy.hosts.length > 0 || policy.dnsServers.length > 0))
  );
}

/** Whether private addresses are closed; in allowlist mode also if `blockPrivate` is off. */
export function blocksPrivate({ mode, allowLocal, blockPrivate }: NetworkPolicy): boolean {
  return !allowLocal && (blockPrivate || mode === 'allowlist');
}

function isPolicyRecord(value: unknown): value is PolicyRecord {
  if (typeof value !== 'object' || value === null) return false;
  const record = value as Partial<Record<keyof PolicyRecord, unknown>>;
  const texts = (list: unknown) =>
    Array.isArray(list) && list.every((item) => typeof item === 'string');
  const numbers = (list: unknown) =>
    Array.isArray(list) && list.every((item) => Number.isInteger(item));
  const isHost = (host: unknown) => {
    const { address, names, ports } = (host ?? {}) as Record<string, unknown>;
    return typeof address === 'string' && texts(names) && numbers(ports);
  };
  return (
    (record.mode === 'open' || record.mode === 'restricted' || record.mode === 'allowlist') &&
    texts(record.allow) &&
    Array.isArray(record.hosts) &&
    record.hosts.every(isHost) &&
    texts(record.dnsServers) &&
    numbers(record.allowedPorts) &&
    [record.allowLocal, record.blockPrivate, record.blockMetadata].every(
      (flag) => typeof flag === 'boolean',
    )
  );
}

function ipv4(text: string): number {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  throw new CoiError('config-invalid', `${quoted(text)} in [network] is not an IPv4 address`, {
    hint: 'Sessions with a guarded network have no IPv6.',
  });
}

function hostname(text: string): string {
  const name = parseHostname(text);
  if (name !== undefined) return name;
  throw new CoiError('config-invalid', `${quoted(text)} in [[network.hosts]] is not a host name`);
}

function portRanges(ports: readonly number[]): PortRange[] {
  const bad = ports.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
  if (bad !== undefined) throw new CoiError('config-invalid', `${bad} in [network] is not a port`);
  return mergeRanges(ports.map((port) => ({ from: port, to: port })));
}
