import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addressText,
  bridgeConfig,
  freeSubnet,
  nameServers,
  overlaps,
  parseSubnet,
  routedSubnets,
  type Subnet,
} from './subnet.ts';

const subnet = (text: string): Subnet => {
  const parsed = parseSubnet(text);
  assert.ok(parsed, text);
  return parsed;
};

test('a free subnet is private and overlaps no used one', () => {
  const taken = fc.array(
    fc.record({ address: fc.nat(0xffffffff), prefix: fc.integer({ min: 8, max: 32 }) }),
    { maxLength: 30 },
  );
  const whole = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(subnet);
  fc.assert(
    fc.property(taken, (list) => {
      const subnets = list.map(({ address, prefix }) =>
        subnet(`${addressText(address)}/${prefix}`),
      );
      const found = freeSubnet(subnets);
      if (!found) return;
      assert.ok(whole.some((range) => overlaps(range, found)));
      assert.ok(!subnets.some((other) => overlaps(other, found)));
    }),
  );
});

test('without neighbours the subnet is 10.77.0.0/22; none is left if all private networks are used', () => {
  assert.deepEqual(freeSubnet([]), subnet('10.77.0.0/22'));
  assert.equal(
    freeSubnet(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map(subnet)),
    undefined,
  );
});

test('DHCP uses only the last 256 addresses', () => {
  assert.deepEqual(bridgeConfig(subnet('172.30.64.0/22')), {
    'ipv4.address': '172.30.64.1/22',
    'ipv4.nat': 'true',
    'ipv4.dhcp.ranges': '172.30.67.2-172.30.67.250',
    'ipv6.address': 'none',
  });
});

test('routes of every table count, except the default route', () => {
  const text = [
    'default via 192.0.2.1 dev eth0',
    '0.0.0.0/1 dev tun0',
    '10.77.0.0/22 dev x table 51820',
    'local 10.9.8.7 dev lo table local',
    'broadcast 10.9.8.255 dev eth0',
    '192.0.2.0/24 dev eth0 proto kernel',
    '',
  ].join('\n');
  const shown = routedSubnets(text).map(({ base, prefix }) => `${addressText(base)}/${prefix}`);
  assert.deepEqual(shown, ['10.77.0.0/22', '10.9.8.7/32', '10.9.8.255/32', '192.0.2.0/24']);
});

test('the network of a name server behind the default route is not used', () => {
  const servers = nameServers(
    'search x\nnameserver 10.77.1.53\nnameserver fe80::1\n# nameserver 1.1.1.1\n',
  );
  assert.deepEqual(servers, [subnet('10.77.1.53')]);
  assert.deepEqual(freeSubnet(servers), subnet('10.78.0.0/22'));
});

test('text that is not an address is not a subnet', () => {
  for (const text of ['', 'none', '10.0.0', '10.0.0.256', '10.0.0.0/33', 'fe80::/64', '10.0.0.0/x'])
    assert.equal(parseSubnet(text), undefined, text);
});
