// The part of the rules that is there with or without sessions: coi's two tables, their hooks, and the shared chains. Pure.
// bridge: what may come out of a session's port at all (its MAC, its address, no lies). inet: where it may go.
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
  /** Name of both tables: `coi`, or another for a coid beside the usual one. */
  readonly table: string;
  /** Where coid answers DNS, on the bridge's address. */
  readonly dnsPort: number;
}

/** Before Docker, firewalld and ufw (0): a drop is final wherever it is said, and denials are counted here first. */
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

/** What the other side of a connection that was not begun by the session gets. Its own direction is judged by every packet. */
export const answers: Rule = rule(
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
  // Multicast and broadcast are noise, not attempts: nobody is answered, nothing is noted.
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
      rules: [answers, dhcp, rule(toGateway, isTcpUdp, equal(dport, 53), accept), ...end],
    },
    {
      ...inet,
      name: 'host_by_coid',
      rules: [
        answers,
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
    // What a session sends has its verdict by the first rule, never that it may go to another session: one look less.
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

/** Notes who wanted what (not more than 20 a second for each), then says no in a way that programs understand at once. */
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
