// The bridge table: which frames may leave a session's port: only its own MAC and IP address, no spoofing. Pure.
import {
  accept,
  type Chain,
  concat,
  counter,
  drop,
  equal,
  meta,
  payload,
  type Rule,
  rule,
  type SetDefinition,
  type Statement,
  set,
  vmap,
} from './nft-json.ts';
import type { Table } from './nft-table.ts';

const bridgePriority = -300;

export function bridgeSets(bridge: Table<'bridge'>): SetDefinition[] {
  return [
    { ...bridge, name: 'ports', type: 'ifname', map: 'verdict' },
    { ...bridge, name: 'guarded', type: 'ifname' },
    { ...bridge, name: 'macs', type: ['ifname', 'ether_addr'] },
    { ...bridge, name: 'places', type: ['ifname', 'ether_addr', 'ipv4_addr'] },
  ];
}

export function bridgeChains(bridge: Table<'bridge'>): Chain[] {
  const hook = (name: string, priority: number, rules: readonly Rule[]): Chain => ({
    ...bridge,
    name,
    base: { type: 'filter', hook: name, priority },
    rules,
  });
  const stop = rule(counter('spoofed'), drop);
  return [
    { ...bridge, name: 'guarded_port', rules: [...ownIpv4, stop] },
    { ...bridge, name: 'open_port', rules: [...ownIpv4, ...ownIpv6, stop] },
    hook('prerouting', bridgePriority, [rule(vmap(meta('iifname'), 'ports'))]),
    // No frame passes between a guarded port and another port: allowed traffic is routed, and the inet table decides about it.
    hook('forward', bridgePriority, [
      rule(equal(meta('iifname'), '@guarded'), counter('sideways'), drop),
      rule(equal(meta('oifname'), '@guarded'), counter('sideways'), drop),
    ]),
    // Frames to the bridge group address (such as spanning tree) pass no other hook.
    hook('input', bridgePriority, [
      rule(
        equal(meta('iifname'), '@guarded'),
        equal({ '&': [payload('ether', 'daddr'), 'ff:ff:ff:ff:ff:f0'] }, '01:80:c2:00:00:00'),
        drop,
      ),
    ]),
  ];
}

/** Frames with the session's own MAC and IP address, except DHCP server replies; ARP only about itself. */
const ownIpv4: readonly Rule[] = [
  rule(
    equal(payload('ether', 'type'), 'ip'),
    equal(payload('udp', 'sport'), 67),
    counter('spoofed'),
    drop,
  ),
  rule(
    equal(concat(meta('iifname'), payload('ether', 'saddr'), payload('ip', 'saddr')), '@places'),
    accept,
  ),
  rule(
    ...ethernetArp(),
    equal(concat(meta('iifname'), payload('ether', 'saddr')), '@macs'),
    equal(
      concat(meta('iifname'), payload('arp', 'saddr ether'), payload('arp', 'saddr ip')),
      '@places',
    ),
    accept,
  ),
  // ARP probes before an address is used (RFC 5227), and the first messages of a DHCP client.
  rule(
    ...ethernetArp(),
    equal(payload('arp', 'saddr ip'), '0.0.0.0'),
    equal(concat(meta('iifname'), payload('arp', 'saddr ether')), '@macs'),
    accept,
  ),
  rule(
    equal(payload('ip', 'saddr'), '0.0.0.0'),
    equal(payload('udp', 'sport'), 68),
    equal(payload('udp', 'dport'), 67),
    equal(concat(meta('iifname'), payload('ether', 'saddr')), '@macs'),
    accept,
  ),
];

/** In open mode IPv6 is allowed, except messages that impersonate a router or a DHCP server. */
const ownIpv6: readonly Rule[] = [
  rule(
    equal(payload('ether', 'type'), 'ip6'),
    equal({ exthdr: { name: 'frag' } }, true),
    counter('spoofed'),
    drop,
  ),
  rule(
    equal(payload('icmpv6', 'type'), set('nd-router-advert', 'nd-redirect')),
    counter('spoofed'),
    drop,
  ),
  rule(
    equal(payload('ether', 'type'), 'ip6'),
    equal(payload('udp', 'sport'), 547),
    counter('spoofed'),
    drop,
  ),
  rule(
    equal(payload('ether', 'type'), 'ip6'),
    equal(concat(meta('iifname'), payload('ether', 'saddr')), '@macs'),
    accept,
  ),
];

function ethernetArp(): Statement[] {
  return [
    equal(payload('arp', 'htype'), 1),
    equal(payload('arp', 'ptype'), 'ip'),
    equal(payload('arp', 'hlen'), 6),
    equal(payload('arp', 'plen'), 4),
  ];
}
