// The rules that exist without any session: coi's two tables, their hooks and the shared chains. Pure.
// bridge: which frames may leave a session's port (its own MAC and address). inet: where it may connect.
// Adding a session adds elements to the maps and sets here, so its cost does not grow with the number of sessions.
import { bridgeChains, bridgeSets } from './bridge-rules.ts';
import {
  accept,
  type Chain,
  concat,
  counter,
  ct,
  drop,
  equal,
  type Family,
  goTo,
  jump,
  limited,
  meta,
  payload,
  type Rule,
  rule,
  type SetDefinition,
  type Statement,
  set,
  unequal,
  update,
  vmap,
  within,
} from './nft-json.ts';
import type { Table } from './nft-table.ts';
import { receiptSet } from './receipt.ts';

export interface Counter {
  readonly family: Family;
  readonly table: string;
  readonly name: string;
}

export interface Ruleset {
  readonly counters: readonly Counter[];
  readonly sets: readonly SetDefinition[];
  readonly chains: readonly Chain[];
}

export interface BaseOptions {
  /** The name of both tables: `coi`, or another for a second coid. */
  readonly table: string;
  /** The port on the bridge's address where coid serves DNS. */
  readonly dnsPort: number;
}

/** Before Docker, firewalld and ufw (0), so that denials are counted here first; a drop is final at any priority. */
const filterPriority = -5;
const natPriority = -105;
const denialsKeptSeconds = 900;
const denialsMax = 8192;

const from = concat(meta('iifname'), payload('ip', 'saddr'));
export const isTcpUdp = equal(meta('l4proto'), set('tcp', 'udp'));
export const dport = payload('th', 'dport');
export const echo: readonly Statement[] = [
  equal(payload('icmp', 'type'), 'echo-request'),
  limited(10, 20),
];

/** Replies on connections that the other side opened. Every packet in the session's own direction is checked. */
export const acceptReplies: Rule = rule(
  equal(ct('direction'), 'reply'),
  within(ct('state'), ['established', 'related']),
  accept,
);
export const deny: Statement = goTo('deny');
const noteRate: Statement = {
  set: {
    op: 'update',
    elem: payload('ip', 'saddr'),
    set: '@denial_rate',
    stmt: [limited(20, 100)],
  },
};

export function baseRuleset({ table, dnsPort }: BaseOptions): Ruleset {
  const bridge = { family: 'bridge' as const, table };
  const inet = { family: 'inet' as const, table };
  return {
    counters: [
      { ...bridge, name: 'spoofed' },
      { ...bridge, name: 'sideways' },
      { ...inet, name: 'denied' },
      { ...inet, name: 'intruding' },
    ],
    sets: [...bridgeSets(bridge), ...inetSets(inet)],
    chains: [...bridgeChains(bridge), ...inetChains(inet, dnsPort)],
  };
}

function inetSets(inet: Table<'inet'>): SetDefinition[] {
  const place = ['ifname', 'ipv4_addr'];
  const kept = {
    flags: ['timeout'],
    timeoutSeconds: denialsKeptSeconds,
    size: denialsMax,
  };
  return [
    { ...inet, name: 'sources', type: place, map: 'verdict' },
    { ...inet, name: 'to_host', type: place, map: 'verdict' },
    { ...inet, name: 'destinations', type: place },
    { ...inet, name: 'asking_coid', type: place },
    { ...inet, name: 'gateways', type: place },
    { ...inet, name: 'bridges', type: 'ifname' },
    {
      ...inet,
      name: 'denials',
      type: ['ipv4_addr', 'ipv4_addr', 'inet_proto', 'inet_service'],
      ...kept,
    },
    { ...inet, name: 'other_denials', type: ['ipv4_addr', 'ipv4_addr', 'inet_proto'], ...kept },
    {
      ...inet,
      name: 'denial_rate',
      type: 'ipv4_addr',
      flags: ['timeout'],
      timeoutSeconds: 60,
      size: 4096,
    },
    receiptSet(inet),
  ];
}

function inetChains(inet: Table<'inet'>, dnsPort: number): Chain[] {
  const hook = (name: string, rules: readonly Rule[]): Chain => ({
    ...inet,
    name,
    base: { type: 'filter', hook: name, priority: filterPriority },
    rules,
  });
  const toGateway = equal(concat(meta('iifname'), payload('ip', 'daddr')), '@gateways');
  const dhcp = rule(equal(payload('udp', 'sport'), 68), equal(payload('udp', 'dport'), 67), accept);
  // Multicast and broadcast are noise: dropped without a reply or a record.
  const end = [rule(unequal(meta('pkttype'), 'host'), drop), rule(deny)];
  return [
    { ...inet, name: 'deny', rules: denyRules },
    {
      ...inet,
      name: 'intrude',
      rules: [
        rule(within(ct('state'), ['established', 'related']), { return: null }),
        rule(within(ct('status'), 'dnat'), { return: null }),
        rule(counter('intruding'), drop),
      ],
    },
    {
      ...inet,
      name: 'host_by_bridge',
      rules: [acceptReplies, dhcp, rule(toGateway, isTcpUdp, equal(dport, 53), accept), ...end],
    },
    {
      ...inet,
      name: 'host_by_coid',
      rules: [
        acceptReplies,
        dhcp,
        rule(toGateway, within(ct('status'), 'dnat'), isTcpUdp, equal(dport, dnsPort), accept),
        ...end,
      ],
    },
    {
      ...inet,
      name: 'questions',
      base: { type: 'nat', hook: 'prerouting', priority: natPriority },
      rules: [
        rule(equal(from, '@asking_coid'), isTcpUdp, equal(dport, 53), {
          redirect: { port: dnsPort },
        }),
      ],
    },
    // The first rule decides about packets from sessions and never lets them reach another session, which saves a lookup.
    hook('forward', [
      rule(vmap(from, 'sources')),
      rule(
        equal(concat(meta('oifname'), payload('ip', 'daddr')), '@destinations'),
        jump('intrude'),
      ),
    ]),
    hook('input', [rule(vmap(from, 'to_host'))]),
  ];
}

/** Records the denial (at most 20 per second and session), then rejects so that programs fail at once. */
const denyRules: readonly Rule[] = [
  rule(
    isTcpUdp,
    noteRate,
    update(
      concat(payload('ip', 'saddr'), payload('ip', 'daddr'), meta('l4proto'), dport),
      'denials',
    ),
  ),
  rule(
    unequal(meta('l4proto'), set('tcp', 'udp')),
    noteRate,
    update(
      concat(payload('ip', 'saddr'), payload('ip', 'daddr'), meta('l4proto')),
      'other_denials',
    ),
  ),
  rule(equal(meta('l4proto'), 'tcp'), counter('denied'), { reject: { type: 'tcp reset' } }),
  rule(counter('denied'), { reject: { type: 'icmpx', expr: 'admin-prohibited' } }),
];
