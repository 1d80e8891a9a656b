// The rules for a session's outgoing connections, from its policy. Pure.
import { createHash } from 'node:crypto';
import { type AddressRange, addressText, mergeRanges } from '../addresses/ipv4.ts';
import {
  findRange,
  metadataRanges,
  privateNetworks,
  unroutableRanges,
} from '../addresses/ranges.ts';
import { type AllowEntry, matchesName, type PortRange, portsText } from './entry.ts';
import type { GuardedPort } from './guarded-port.ts';
import {
  accept,
  concat,
  ct,
  equal,
  type Json,
  meta,
  payload,
  portSpan,
  type Rule,
  rule,
  type Statement,
  set,
  unequal,
  update,
  within,
} from './nft-json.ts';
import { blocksPrivate, type NetworkPolicy } from './policy.ts';
import { acceptReplies, deny, dport, echo, isTcpUdp } from './ruleset.ts';

const flowKey = concat(payload('ip', 'daddr'), meta('l4proto'), dport);
const icmpEcho: Rule = rule(equal(meta('l4proto'), 'icmp'), ...echo, accept);

/** In the order that `decide.ts` explains: always closed, opened by the user, private, by mode. */
export function destinationRules(
  port: Pick<GuardedPort, 'policy' | 'permits'> & { readonly hostName?: string },
  attached: readonly AddressRange[],
): Rule[] {
  const { policy, permits } = port;
  const isPrivate = (address: number) =>
    findRange(address, privateNetworks) !== undefined ||
    attached.some((range) => range.from <= address && address <= range.to);
  const hosts = policy.hosts.filter(
    ({ address }) => policy.mode === 'restricted' || policy.allowLocal || !isPrivate(address),
  );
  const holes = [
    ...permits,
    ...hosts.map(({ address, ports }) => ({ range: { from: address, to: address }, ports })),
  ];
  const closed = [...unroutableRanges, ...(policy.blockMetadata ? metadataRanges : [])].map(
    ({ range }) => range,
  );
  const local = blocksPrivate(policy)
    ? [...privateNetworks.map(({ range }) => range), ...attached]
    : [];
  // If no rule comes between, both are one set lookup per packet; this affects throughput.
  const first = holes.length === 0 ? [...closed, ...local] : closed;
  return [
    acceptReplies,
    rule(equal(meta('oifname'), '@bridges'), deny),
    rule(toRanges(first), deny),
    ...(policy.allowedPorts.length > 0
      ? [rule(isTcpUdp, unequal(dport, portSet(policy.allowedPorts)), deny)]
      : []),
    ...holes.flatMap(({ range, ports }) => holeRules(range, ports)),
    ...(holes.length > 0 && local.length > 0 ? [rule(toRanges(local), deny)] : []),
    ...(policy.mode === 'allowlist'
      ? allowlistRules(policy, port.hostName ?? '')
      : internetRules(policy)),
  ];
}

function internetRules(policy: NetworkPolicy): Rule[] {
  return policy.allowedPorts.length > 0
    ? [rule(isTcpUdp, accept), icmpEcho, rule(deny)]
    : [rule(accept)];
}

/** TCP, UDP and ping to allowed destinations; an allowed connection continues when its name resolves to another address. */
function allowlistRules(policy: NetworkPolicy, hostName: string): Rule[] {
  const flows = `${hostName}_flows`;
  const note = update(flowKey, flows);
  const known = [isTcpUdp, within(ct('state'), 'established'), equal(flowKey, `@${flows}`)];
  const networks = policy.allow.filter((entry) => entry.kind === 'network');
  const names = [...nameSets(policy, hostName).values()];
  return [
    // First, since they are cheaper than a set lookup, which affects throughput.
    ...networks.flatMap(({ range, ports }) => holeRules(range, ports)),
    // One set lookup per packet. If the update fails, the next rule still accepts.
    rule(...known, note, accept),
    rule(...known, accept),
    // The update is a separate rule: if the set is full, the update fails and its rule with it.
    ...names.flatMap((one) => {
      const listed = [
        isTcpUdp,
        ...toPorts(one.ports),
        equal(payload('ip', 'daddr'), `@${one.set}`),
      ];
      return [rule(...listed, note), rule(...listed, accept)];
    }),
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
  const parts = mergeRanges(ranges).map(
    ({ from, to }): Json =>
      from === to ? addressText(from) : { range: [addressText(from), addressText(to)] },
  );
  return equal(payload('ip', 'daddr'), parts.length === 1 ? (parts[0] ?? '') : set(...parts));
}

/** The sets for addresses of allowed names, one for each distinct list of ports. */
export function nameSets(
  policy: NetworkPolicy,
  hostName: string,
): ReadonlyMap<string, { readonly set: string; readonly ports: readonly PortRange[] }> {
  const named =
    policy.mode === 'allowlist' ? policy.allow.filter(({ kind }) => kind !== 'network') : [];
  return new Map(
    named.map((entry) => [
      setKey(entry),
      { set: `${hostName}_${digest(setKey(entry))}`, ports: entry.ports },
    ]),
  );
}

/** The sets that addresses of that name are added to; empty if the name is not allowed. */
export function setsFor(name: string, policy: NetworkPolicy, hostName: string): string[] {
  const sets = nameSets(policy, hostName);
  const matching = policy.allow.filter((entry) => matchesName(entry, name));
  return [
    ...new Set(
      matching.map((entry) => sets.get(setKey(entry))?.set).filter((found) => found !== undefined),
    ),
  ];
}

/** Temporary entries have their own set, which is removed when they expire. */
function setKey({ ports, temporary }: AllowEntry): string {
  return portsText(ports) + (temporary ? ' for a while' : '');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}
