// What one session may reach: read from configuration, carried as plain JSON, parsed once before it becomes rules. Pure.
import { addressText, parseAddress } from '../addresses/ipv4.ts';
import type { NetworkMode, PolicyRecord } from '../coid-api/network-protocol.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { type AllowEntry, entryText, mergedPorts, type PortRange, parseEntry } from './entry.ts';
import { parseHostname } from './hostname.ts';

/** A name with a fixed address that the user gave it. */
export interface FixedHost {
  readonly address: number;
  readonly names: readonly string[];
  readonly ports: readonly PortRange[];
}

export interface NetworkPolicy {
  readonly mode: NetworkMode;
  /** For allowlist: what may be reached. Nothing means nothing. */
  readonly allow: readonly AllowEntry[];
  readonly hosts: readonly FixedHost[];
  /** Whom coid asks for this session; none: the host's own resolvers. */
  readonly dnsServers: readonly number[];
  /** If any: TCP and UDP to other ports are refused wherever they go. */
  readonly allowedPorts: readonly PortRange[];
  readonly allowLocal: boolean;
  readonly blockPrivate: boolean;
  readonly blockMetadata: boolean;
}

/** The settings of the section `[network]`, by the names of config/keys/reach.ts. */
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

/** The policy of the settings. Throws `config-invalid` for what cannot be enforced. */
export function policyRecord(settings: NetworkSettings): PolicyRecord {
  // In open mode nothing of it counts.
  if (settings['network.mode'] === 'open') return plainPolicy('open');
  const record: PolicyRecord = {
    mode: settings['network.mode'],
    // Only this mode looks at it, so nothing else carries it about.
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

/** What a mode means where nothing else is said. */
export function plainPolicy(mode: NetworkMode): PolicyRecord {
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

/** Nothing at all: what holds for a session whose policy cannot be read. */
export const closedPolicy: PolicyRecord = plainPolicy('allowlist');

/** Parses every part. Throws `config-invalid`. */
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

/** The JSON of a parsed policy, in canonical form. */
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

/** What `user.coi.policy` holds; undefined for what is no policy. */
export function storedPolicy(text: string): PolicyRecord | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isPolicyRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Reads `user.coi.policy`. Whatever is not a sound policy of that mode is the closed one: a guard never guesses. */
export function policyOf(mode: NetworkMode, text: string | undefined): NetworkPolicy {
  try {
    const record = text === undefined ? plainPolicy(mode) : storedPolicy(text);
    if (record?.mode === mode) return networkPolicy(record);
  } catch {
    // With parts that cannot be parsed.
  }
  return networkPolicy(closedPolicy);
}

/** True if coid has to answer the questions of that session instead of the bridge's own name server. */
export function needsResolver(policy: NetworkPolicy): boolean {
  return (
    policy.mode === 'allowlist' ||
    (policy.mode === 'restricted' && (policy.hosts.length > 0 || policy.dnsServers.length > 0))
  );
}

/** Addresses that are not the internet stay closed: in allowlist mode also where restricted mode would open them. */
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
  throw new CoiError('config-invalid', `${quoted(text)} in [network] is no IPv4 address`, {
    hint: 'Sessions with a guarded network have no IPv6.',
  });
}

function hostname(text: string): string {
  const name = parseHostname(text);
  if (name !== undefined) return name;
  throw new CoiError('config-invalid', `${quoted(text)} in [[network.hosts]] is no name of a host`);
}

function portRanges(ports: readonly number[]): PortRange[] {
  const bad = ports.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535);
  if (bad !== undefined) throw new CoiError('config-invalid', `${bad} in [network] is no port`);
  return mergedPorts(ports.map((port) => ({ from: port, to: port })));
}
