// What is added to the ruleset for one session: elements, and a chain with sets of its own where its policy is not the usual one. Pure.
import { createHash } from 'node:crypto';
import {
  type AddressRange,
  addressText,
  merged,
  metadata,
  privateNetworks,
  rangeOf,
  unroutable,
} from './address.ts';
import { matchesName, type PortRange, portsText } from './entry.ts';
import {
  accept,
  addChain,
  addElement,
  addRules,
  addSet,
  type Chain,
  concat,
  deleteChain,
  deleteElement,
  deleteSet,
  type Element,
  elementId,
  equal,
  flushChain,
  type Json,
  meta,
  type NftCommand,
  payload,
  portSpan,
  type Rule,
  rule,
  type SetDefinition,
  type Statement,
  set,
  unequal,
  update,
} from './nft-json.ts';
import { type NetworkPolicy, needsResolver, networkPolicy, plainPolicy } from './policy.ts';
import { answers, deny, dport, echo, isTcpUdp } from './ruleset.ts';

/** A session as its packets show it. */
export interface GuardedPort {
  /** Interface on the host side, unique among all sessions of all time that matter: it names the session's chain and sets. */
  readonly hostName: string;
  readonly bridge: string;
  readonly gateway: string;
  readonly mac: string;
  readonly address: string;
  readonly policy: NetworkPolicy;
  /** Opened for a while by the user (`coi network allow`). */
  readonly permits: readonly Permit[];
}

export interface Permit {
  readonly range: AddressRange;
  readonly ports: readonly PortRange[];
}

export interface SessionRules {
  readonly sets: readonly SetDefinition[];
  readonly chains: readonly Chain[];
  readonly elements: readonly Element[];
}

/** The host's other networks: what is reachable without a router, apart from the way to the internet. */
export interface Surroundings {
  readonly table: string;
  readonly attached: readonly AddressRange[];
}

/** How long a connection of an allowlist session may be silent when its name's address has long changed. */
const flowSeconds = 7200;
const flowsMax = 4096;
const addressesMax = 4096;
const flowKey = concat(payload('ip', 'daddr'), meta('l4proto'), dport);
const icmpEcho: Rule = rule(equal(meta('l4proto'), 'icmp'), ...echo, accept);

/** The shared chain of all sessions whose policy is `restricted` and nothing else. */
export function usualChain({ table, attached }: Surroundings): Chain {
  return {
    family: 'inet',
    table,
    name: 'restricted',
    rules: destinationRules(
      { policy: networkPolicy(plainPolicy('restricted')), permits: [] },
      attached,
    ),
  };
}

export function sessionRules(port: GuardedPort, { table, attached }: Surroundings): SessionRules {
  const { hostName, bridge, mac, address, gateway, policy } = port;
  const inet = { family: 'inet' as const, table };
  const place = [bridge, address];
  const pinned: Element[] = [
    { family: 'bridge', table, set: 'macs', key: [hostName, mac] },
    { family: 'bridge', table, set: 'places', key: [hostName, mac, address] },
  ];
  if (policy.mode === 'open') {
    return {
      sets: [],
      chains: [],
      elements: [
        ...pinned,
        { family: 'bridge', table, set: 'ports', key: [hostName], jump: 'open_port' },
      ],
    };
  }
  const own = isUsual(port) ? undefined : ownRules(port, inet, attached);
  return {
    sets: own?.sets ?? [],
    chains: own ? [own.chain] : [],
    elements: [
      ...pinned,
      { family: 'bridge', table, set: 'guarded', key: [hostName] },
      { family: 'bridge', table, set: 'ports', key: [hostName], jump: 'guarded_port' },
      { ...inet, set: 'bridges', key: [bridge] },
      { ...inet, set: 'gateways', key: [bridge, gateway] },
      { ...inet, set: 'destinations', key: place },
      { ...inet, set: 'sources', key: place, jump: own?.chain.name ?? 'restricted' },
      {
        ...inet,
        set: 'to_host',
        key: place,
        jump: needsResolver(policy) ? 'host_by_coid' : 'host_by_bridge',
      },
      ...(needsResolver(policy) ? [{ ...inet, set: 'asking_coid', key: place }] : []),
    ],
  };
}

/** Sets into which addresses of names are put, by the ports that entries allow: one for each distinct list of ports. */
export function nameSets(
  policy: NetworkPolicy,
  hostName: string,
): ReadonlyMap<string, { readonly set: string; readonly ports: readonly PortRange[] }> {
  const named =
    policy.mode === 'allowlist' ? policy.allow.filter(({ kind }) => kind !== 'network') : [];
  return new Map(
    named.map(({ ports }) => [
      portsText(ports),
      { set: `${hostName}_${digest(portsText(ports))}`, ports },
    ]),
  );
}

/** The sets in which the addresses of that name belong; none if the name is not allowed. */
export function setsFor(name: string, policy: NetworkPolicy, hostName: string): string[] {
  const sets = nameSets(policy, hostName);
  const matching = policy.allow.filter((entry) => matchesName(entry, name));
  return [
    ...new Set(
      matching
        .map(({ ports }) => sets.get(portsText(ports))?.set)
        .filter((found) => found !== undefined),
    ),
  ];
}

type Reach = Pick<GuardedPort, 'policy' | 'permits'>;

/** True if the shared chain says all there is to say. */
function isUsual({ policy, permits }: Reach): boolean {
  return (
    policy.mode === 'restricted' &&
    permits.length === 0 &&
    policy.hosts.length === 0 &&
    policy.allowedPorts.length === 0 &&
    !policy.allowLocal &&
    policy.blockPrivate &&
    policy.blockMetadata
  );
}

function ownRules(
  port: GuardedPort,
  inet: { family: 'inet'; table: string },
  attached: readonly AddressRange[],
): { chain: Chain; sets: SetDefinition[] } {
  const { hostName, policy } = port;
  const names = [...nameSets(policy, hostName).values()];
  const sets: SetDefinition[] = names.map((one) => ({
    ...inet,
    name: one.set,
    type: 'ipv4_addr',
    flags: ['timeout'],
    size: addressesMax,
  }));
  const flows: SetDefinition = {
    ...inet,
    name: `${hostName}_flows`,
    type: ['ipv4_addr', 'inet_proto', 'inet_service'],
    flags: ['timeout'],
    timeoutSeconds: flowSeconds,
    size: flowsMax,
  };
  return {
    chain: { ...inet, name: hostName, rules: destinationRules(port, attached) },
    sets: policy.mode === 'allowlist' ? [...sets, flows] : [],
  };
}

/** In the order in which `decide.ts` explains them: what nothing opens, what the user opened, what is private, what the mode says. */
function destinationRules(
  port: Reach & { readonly hostName?: string },
  attached: readonly AddressRange[],
): Rule[] {
  const { policy, permits } = port;
  const isPrivate = (address: number) =>
    rangeOf(address, privateNetworks) !== undefined ||
    attached.some((range) => range.from <= address && address <= range.to);
  const hosts = policy.hosts.filter(
    ({ address }) => policy.mode === 'restricted' || policy.allowLocal || !isPrivate(address),
  );
  const holes = [
    ...permits,
    ...hosts.map(({ address, ports }) => ({ range: { from: address, to: address }, ports })),
  ];
  return [
    answers,
    rule(equal(meta('oifname'), '@bridges'), deny),
    rule(toRanges(unroutable.map(({ range }) => range)), deny),
    ...(policy.allowedPorts.length > 0
      ? [rule(isTcpUdp, unequal(dport, portSet(policy.allowedPorts)), deny)]
      : []),
    ...(policy.blockMetadata ? [rule(toRanges(metadata.map(({ range }) => range)), deny)] : []),
    ...holes.flatMap(({ range, ports }) => holeRules(range, ports)),
    ...(blocksPrivate(policy)
      ? [rule(toRanges([...privateNetworks.map(({ range }) => range), ...attached]), deny)]
      : []),
    ...(policy.mode === 'allowlist'
      ? allowlistRules(policy, port.hostName ?? '')
      : internetRules(policy)),
  ];
}

export function blocksPrivate({ mode, allowLocal, blockPrivate }: NetworkPolicy): boolean {
  return !allowLocal && (blockPrivate || mode === 'allowlist');
}

function internetRules(policy: NetworkPolicy): Rule[] {
  return policy.allowedPorts.length > 0
    ? [rule(isTcpUdp, accept), icmpEcho, rule(deny)]
    : [rule(accept)];
}

/** TCP and UDP to what is on the list, and ping; a connection that was allowed goes on when its name has got another address. */
function allowlistRules(policy: NetworkPolicy, hostName: string): Rule[] {
  const flows = `${hostName}_flows`;
  const note = update(flowKey, flows);
  const networks = policy.allow.filter((entry) => entry.kind === 'network');
  const names = [...nameSets(policy, hostName).values()];
  return [
    rule(isTcpUdp, equal(flowKey, `@${flows}`), note, accept),
    ...networks.flatMap(({ range, ports }) => holeRules(range, ports)),
    ...names.map((one) =>
      rule(
        isTcpUdp,
        ...toPorts(one.ports),
        equal(payload('ip', 'daddr'), `@${one.set}`),
        note,
        accept,
      ),
    ),
    ...names.map((one) =>
      rule(
        equal(payload('ip', 'daddr'), `@${one.set}`),
        equal(meta('l4proto'), 'icmp'),
        ...echo,
        accept,
      ),
    ),
    rule(deny),
  ];
}

function holeRules(range: AddressRange, ports: readonly PortRange[]): Rule[] {
  return [
    rule(toRanges([range]), isTcpUdp, ...toPorts(ports), accept),
    rule(toRanges([range]), equal(meta('l4proto'), 'icmp'), ...echo, accept),
  ];
}

function toPorts(ports: readonly PortRange[]): Statement[] {
  return ports.length === 0 ? [] : [equal(dport, portSet(ports))];
}

function portSet(ports: readonly PortRange[]): Json {
  return set(...ports.map(({ from, to }) => portSpan(from, to)));
}

function toRanges(ranges: readonly AddressRange[]): Statement {
  const parts = merged(ranges).map(
    ({ from, to }): Json =>
      from === to ? addressText(from) : { range: [addressText(from), addressText(to)] },
  );
  return equal(payload('ip', 'daddr'), parts.length === 1 ? (parts[0] ?? '') : set(...parts));
}

/** What turns the rules of some sessions into those of others, in one transaction: nothing is ever open in between. */
export function changes(
  before: readonly SessionRules[],
  after: readonly SessionRules[],
): NftCommand[] {
  const [old, wanted] = [elementsOf(before), elementsOf(after)];
  const [oldChains, chains] = [chainsOf(before), chainsOf(after)];
  const [oldSets, sets] = [setsOf(before), setsOf(after)];
  const changed = [...chains.values()].filter(
    (chain) => JSON.stringify(oldChains.get(chain.name)) !== JSON.stringify(chain),
  );
  const goneChains = [...oldChains.values()].filter(({ name }) => !chains.has(name));
  return [
    ...missing(sets, oldSets).map(addSet),
    ...changed.flatMap((chain) => [
      addChain(chain),
      ...(oldChains.has(chain.name) ? [flushChain(chain)] : []),
      ...addRules(chain),
    ]),
    ...missing(old, wanted).map(deleteElement),
    ...missing(wanted, old).map(addElement),
    ...goneChains.map(flushChain),
    ...goneChains.map(deleteChain),
    ...missing(oldSets, sets).map(deleteSet),
  ];
}

function missing<T>(from: ReadonlyMap<string, T>, others: ReadonlyMap<string, T>): T[] {
  return [...from].filter(([id]) => !others.has(id)).map(([, item]) => item);
}

export function elementsOf(all: readonly SessionRules[]): Map<string, Element> {
  return new Map(
    all.flatMap(({ elements }) =>
      elements.map((element): [string, Element] => [elementId(element), element]),
    ),
  );
}

export function chainsOf(all: readonly SessionRules[]): Map<string, Chain> {
  return new Map(
    all.flatMap(({ chains }) => chains.map((chain): [string, Chain] => [chain.name, chain])),
  );
}

export function setsOf(all: readonly SessionRules[]): Map<string, SetDefinition> {
  return new Map(
    all.flatMap(({ sets }) => sets.map((one): [string, SetDefinition] => [one.name, one])),
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}
