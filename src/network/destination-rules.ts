// Where a session may go: the rules of its chain, made from its policy. Pure.
import { createHash } from 'node:crypto';
import { type AddressRange, addressText, merged } from '../addresses/ipv4.ts';
import { metadata, privateNetworks, rangeOf, unroutable } from '../addresses/ranges.ts';
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
import { answers, deny, dport, echo, isTcpUdp } from './ruleset.ts';

const flowKey = concat(payload('ip', 'daddr'), meta('l4proto'), dport);
const icmpEcho: Rule = rule(equal(meta('l4proto'), 'icmp'), ...echo, accept);

/** In the order in which `decide.ts` explains them: what nothing opens, what the user opened, what is private, what the mode says. */
export function destinationRules(
  port: Pick<GuardedPort, 'policy' | 'permits'> & { readonly hostName?: string },
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
  const closed = [...unroutable, ...(policy.blockMetadata ? metadata : [])].map(
    ({ range }) => range,
  );
  const local = blocksPrivate(policy)
    ? [...privateNetworks.map(({ range }) => range), ...attached]
    : [];
  // One look at one set for each packet where nothing lies between the two: throughput is felt here.
  const first = holes.length === 0 ? [...closed, ...local] : closed;
  return [
    answers,
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

/** TCP and UDP to what is on the list, and ping; a connection that was allowed goes on when its name has got another address. */
function allowlistRules(policy: NetworkPolicy, hostName: string): Rule[] {
  const flows = `${hostName}_flows`;
  const note = update(flowKey, flows);
  const known = [isTcpUdp, within(ct('state'), 'established'), equal(flowKey, `@${flows}`)];
  const networks = policy.allow.filter((entry) => entry.kind === 'network');
  const names = [...nameSets(policy, hostName).values()];
  return [
    // Throughput is felt here, and these are cheaper than a look at a set.
    ...networks.flatMap(({ range, ports }) => holeRules(range, ports)),
    // One look at the set for each packet. Should noting fail, the next rule accepts all the same.
    rule(...known, note, accept),
    rule(...known, accept),
    // Noted by a rule of its own: where the set is full, noting fails, and the rule with it.
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
  const parts = merged(ranges).map(
    ({ from, to }): Json =>
      from === to ? addressText(from) : { range: [addressText(from), addressText(to)] },
  );
  return equal(payload('ip', 'daddr'), parts.length === 1 ? (parts[0] ?? '') : set(...parts));
}

/** Sets into which addresses of names are put, by the ports that entries allow: one for each distinct list of ports. */
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

/** The sets in which the addresses of that name belong; none if the name is not allowed. */
export function setsFor(name: string, policy: NetworkPolicy, hostName: string): string[] {
  const sets = nameSets(policy, hostName);
  const matching = policy.allow.filter((entry) => matchesName(entry, name));
  return [
    ...new Set(
      matching.map((entry) => sets.get(setKey(entry))?.set).filter((found) => found !== undefined),
    ),
  ];
}

/** What is open for a while has a set of its own, which goes when it is over. */
function setKey({ ports, temporary }: AllowEntry): string {
  return portsText(ports) + (temporary ? ' for a while' : '');
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 6);
}
