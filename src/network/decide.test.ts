import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress, parseNetwork } from '../addresses/ipv4.ts';
import type { PolicyRecord } from '../coid-api/network-protocol.ts';
import { decideAddress, decideName, parseDestination, type Reach } from './decide.ts';
import { defaultPolicy, networkPolicy } from './policy.ts';

function reach(change: Partial<PolicyRecord>, more: Partial<Reach> = {}): Reach {
  const policy = networkPolicy({ ...defaultPolicy(change.mode ?? 'restricted'), ...change });
  return { policy, permits: [], attached: [], bridge: parseNetwork('10.77.0.0/22'), ...more };
}

function rule(address: string, at: Reach, port?: number): string {
  const { verdict, rule: name } = decideAddress({ host: address, port }, at);
  return `${verdict} ${name}`;
}

test('restricted mode allows the internet and names the rule for everything closed', () => {
  const at = reach({});
  assert.equal(rule('93.184.215.14', at), 'allowed restricted');
  assert.equal(rule('203.0.113.80', at), 'allowed restricted');
  for (const address of [
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '100.64.0.1',
    '100.127.255.255',
  ])
    assert.equal(rule(address, at), 'refused block_private_networks', address);
  for (const address of ['169.254.169.254', '168.63.129.16', '100.100.100.200', '192.0.0.192'])
    assert.equal(rule(address, at), 'refused block_metadata_endpoint', address);
  for (const address of ['0.0.0.0', '127.0.0.1', '224.0.0.251', '255.255.255.255'])
    assert.equal(rule(address, at), 'refused unroutable', address);
  assert.equal(rule('10.77.0.1', at), 'refused host-and-containers');
  assert.equal(rule('172.32.0.1', at), 'allowed restricted');
});

test('local access opens private networks, but neither metadata nor other containers', () => {
  const at = reach(
    { allowLocal: true },
    { attached: [parseNetwork('192.0.2.0/24') ?? { from: 0, to: 0 }] },
  );
  assert.equal(rule('10.1.2.3', at), 'allowed restricted');
  assert.equal(rule('192.0.2.9', at), 'allowed restricted');
  assert.equal(rule('169.254.169.254', at), 'refused block_metadata_endpoint');
  assert.equal(rule('10.77.2.9', at), 'refused host-and-containers');
});

test("the host's other networks are private whatever their addresses", () => {
  const at = reach({}, { attached: [parseNetwork('203.0.113.0/28') ?? { from: 0, to: 0 }] });
  assert.equal(rule('203.0.113.5', at), 'refused block_private_networks');
  assert.equal(rule('203.0.113.80', at), 'allowed restricted');
});

test('a port limit overrides everything that opens', () => {
  const at = reach({
    allowedPorts: [443],
    hosts: [{ address: '10.9.9.9', names: ['db'], ports: [] }],
  });
  assert.equal(rule('93.184.215.14', at, 443), 'allowed restricted');
  assert.equal(rule('93.184.215.14', at, 22), 'refused allowed_ports');
  assert.equal(rule('10.9.9.9', at, 22), 'refused allowed_ports');
  assert.equal(rule('10.9.9.9', at, 443), 'allowed hosts');
});

test('an allowlist decides by name and says which entry to add', () => {
  const at = reach({
    mode: 'allowlist',
    allow: ['api.example.org:443', '*.example.net', '192.0.2.0/24:80'],
  });
  const name = (text: string) => {
    const destination = parseDestination(text);
    return destination && decideName(destination, at);
  };
  assert.equal(name('API.example.org.')?.verdict, 'allowed');
  assert.equal(name('api.example.org:443')?.verdict, 'allowed');
  assert.equal(name('api.example.org:80')?.verdict, 'refused');
  assert.equal(name('example.net')?.verdict, 'refused');
  assert.match(name('evil.com')?.permit ?? '', /coi network allow evil\.com/);
  assert.equal(rule('192.0.2.9', at, 80), 'allowed allowed_domains');
  assert.equal(rule('192.0.2.9', at, 81), 'refused allowed_domains');
  assert.equal(rule('10.0.0.1', at, 80), 'refused block_private_networks');
});

test('text that is not a host is not judged', () => {
  for (const text of [
    '',
    ':80',
    'a b',
    'http://x.org',
    'x.org:0',
    'x.org:99999',
    '0x7f.1',
    '1.2.3',
    '[::1]:80',
    'a@b.org',
    'x.org:80:80',
  ])
    assert.equal(parseDestination(text), undefined, text);
});

test('any text is either a destination with a verdict or rejected', () => {
  const at = reach({ mode: 'allowlist', allow: ['*.example.org:443', '192.0.2.0/24'] });
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 80 }),
    fc.domain(),
    fc.tuple(fc.ipV4(), fc.nat(70_000)).map(([address, port]) => `${address}:${port}`),
  );
  fc.assert(
    fc.property(text, (given) => {
      const destination = parseDestination(given);
      if (!destination) return;
      assert.match(destination.host, /^[a-z0-9_.-]{1,253}$/);
      const judgement = parseAddress(destination.host)
        ? decideAddress(destination, at)
        : decideName(destination, at);
      assert.ok(judgement);
    }),
    { numRuns: 300 },
  );
});
