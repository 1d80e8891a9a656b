import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addressAt,
  addressText,
  parseAddress,
  rangeSize,
  subtractRanges,
} from '../../addresses/ipv4.ts';
import { CoiError } from '../../errors.ts';
import type { Network, Profile } from '../../incus/shapes.ts';
import { type Bridge, chooseBridge } from './bridge.ts';

function network(
  name: string,
  config: Record<string, string>,
  more: Partial<Network> = {},
): Network {
  return {
    name,
    type: 'bridge',
    managed: true,
    status: 'Created',
    description: '',
    config,
    used_by: [],
    ...more,
  };
}

function profile(nic: Record<string, string>): Profile {
  return {
    name: 'default',
    description: '',
    config: {},
    devices: { eth0: { type: 'nic', ...nic } },
    used_by: [],
  };
}

const contains = ({ free }: Bridge, address: string) =>
  free.some(
    ({ from, to }) => from <= Number(parseAddress(address)) && Number(parseAddress(address)) <= to,
  );

test('an address converts to a number and back', () => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      assert.equal(addressText(parseAddress(text) ?? -1), text);
    }),
  );
  for (const text of ['', '1.2.3', '1.2.3.256', '1.2.3.4.5', '01.2.3.4', 'a.b.c.d']) {
    assert.equal(parseAddress(text), undefined);
  }
});

test('ranges minus holes contain exactly the addresses outside the holes', () => {
  const range = fc
    .tuple(fc.nat(60), fc.nat(60))
    .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
  fc.assert(
    fc.property(range, fc.array(range, { maxLength: 5 }), (whole, holes) => {
      const left = subtractRanges(whole, holes);
      const wanted = Array.from(
        { length: whole.to - whole.from + 1 },
        (_, at) => whole.from + at,
      ).filter((value) => !holes.some(({ from, to }) => from <= value && value <= to));
      assert.deepEqual(
        Array.from({ length: rangeSize(left) }, (_, at) => addressAt(left, at)).toSorted(
          (a, b) => Number(a) - Number(b),
        ),
        wanted,
      );
      assert.equal(addressAt(left, rangeSize(left)), undefined);
    }),
  );
});

test('only addresses outside DHCP, gateway and network ends are allocated', () => {
  const chosen = chooseBridge(
    [
      network('coibr0', {
        'ipv4.address': '10.77.0.1/22',
        'ipv4.dhcp.ranges': '10.77.3.2-10.77.3.250,10.77.1.1-10.77.1.1',
      }),
    ],
    undefined,
  );
  assert.equal(chosen.gateway, '10.77.0.1');
  assert.equal(chosen.prefixLength, 22);
  for (const address of ['10.77.0.2', '10.77.2.254', '10.77.3.254'])
    assert.ok(contains(chosen, address), address);
  for (const address of [
    '10.77.0.0',
    '10.77.0.1',
    '10.77.1.1',
    '10.77.3.2',
    '10.77.3.250',
    '10.77.3.255',
  ]) {
    assert.ok(!contains(chosen, address), address);
  }
});

test('addresses come from the upper half if DHCP has the whole network', () => {
  const chosen = chooseBridge([network('incusbr0', { 'ipv4.address': '10.5.0.1/24' })], undefined);
  assert.ok(contains(chosen, '10.5.0.200'));
  assert.ok(!contains(chosen, '10.5.0.100'));
});

test("coi's own bridge is preferred, then the default profile's, then Incus's usual one", () => {
  const all = ['coibr0', 'br7', 'incusbr0'].map((name) =>
    network(name, { 'ipv4.address': '10.1.0.1/24' }),
  );
  assert.equal(chooseBridge(all, profile({ network: 'br7' })).name, 'coibr0');
  assert.equal(chooseBridge(all.slice(1), profile({ network: 'br7' })).name, 'br7');
  assert.equal(chooseBridge(all.slice(1), undefined).name, 'incusbr0');
});

test('a bridge that is unmanaged or has no IPv4 is not used for sessions', () => {
  const refused = (error: unknown) =>
    error instanceof CoiError && error.code === 'network-unprotected';
  for (const config of [{}, { 'ipv4.address': 'none' }, { 'ipv4.address': '10.1.0.1/31' }]) {
    assert.throws(() => chooseBridge([network('coibr0', config)], undefined), refused);
  }
  const unmanaged = network('coibr0', { 'ipv4.address': '10.1.0.1/24' }, { managed: false });
  assert.throws(() => chooseBridge([unmanaged], undefined), refused);
});
