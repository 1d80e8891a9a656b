import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CoiError } from '../errors.ts';
import {
  closedPolicy,
  defaultPolicy,
  type NetworkSettings,
  needsResolver,
  networkPolicy,
  policyRecord,
  policyToRecord,
  readPolicy,
} from './policy.ts';

const defaults: NetworkSettings = {
  'network.mode': 'restricted',
  'network.block_private_networks': true,
  'network.block_metadata_endpoint': true,
  'network.allowed_domains': ['api.example.org'],
  'network.allow_local_network_access': false,
  'network.dns_servers': [],
  'network.allowed_ports': [],
  'network.hosts': [],
};

test('each mode has the defaults that its name implies', () => {
  assert.deepEqual(policyRecord(defaults), defaultPolicy('restricted'));
  assert.deepEqual(
    policyRecord({ ...defaults, 'network.mode': 'open', 'network.dns_servers': ['::1'] }),
    defaultPolicy('open'),
  );
});

test('an empty allowlist allows nothing', () => {
  const record = policyRecord({
    ...defaults,
    'network.mode': 'allowlist',
    'network.allowed_domains': [],
  });
  assert.deepEqual(record, closedPolicy);
});

test('a policy survives a JSON round trip', () => {
  const record = policyRecord({
    ...defaults,
    'network.mode': 'allowlist',
    'network.allowed_domains': ['Api.Example.org:443', '192.0.2.9/24'],
    'network.dns_servers': ['192.0.2.53'],
    'network.allowed_ports': [443, 80],
    'network.hosts': [{ ip: '192.0.2.1', hostnames: ['db.test'], ports: [5432] }],
  });
  const policy = networkPolicy(record);
  assert.deepEqual(readPolicy('allowlist', JSON.stringify(record)), policy);
  assert.deepEqual(networkPolicy(policyToRecord(policy)), policy);
});

test('a policy that the guard cannot read closes everything', () => {
  const closed = networkPolicy(closedPolicy);
  const broken = [
    '',
    '{',
    'null',
    '[]',
    '{"mode":"open"}',
    JSON.stringify(defaultPolicy('open')),
    JSON.stringify({ ...defaultPolicy('restricted'), allow: ['a b'] }),
    JSON.stringify({ ...defaultPolicy('restricted'), blockPrivate: 'no' }),
  ];
  for (const text of broken) assert.deepEqual(readPolicy('restricted', text), closed, text);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.deepEqual(readPolicy('restricted', text), closed);
    }),
    { numRuns: 300 },
  );
});

test('a session without its own policy gets that of its mode, and nothing looser', () => {
  assert.deepEqual(readPolicy('restricted', undefined), networkPolicy(defaultPolicy('restricted')));
  assert.deepEqual(readPolicy('allowlist', undefined), networkPolicy(closedPolicy));
});

test('a setting that cannot be enforced is refused with its location', () => {
  const refused = (change: Partial<NetworkSettings>) =>
    assert.throws(
      () => policyRecord({ ...defaults, ...change }),
      (error) => error instanceof CoiError && error.code === 'config-invalid',
    );
  refused({ 'network.dns_servers': ['::1'] });
  refused({ 'network.hosts': [{ ip: 'fd00::1', hostnames: ['db'], ports: [] }] });
  refused({ 'network.hosts': [{ ip: '192.0.2.1', hostnames: ['a b'], ports: [] }] });
  refused({ 'network.mode': 'allowlist', 'network.allowed_domains': ['https://example.org'] });
});

test('coid answers DNS if host names, servers or an allowlist are configured', () => {
  const host = { address: '192.0.2.1', names: ['db'], ports: [] };
  const asks = (change: object, mode: 'restricted' | 'allowlist' | 'open' = 'restricted') =>
    needsResolver(networkPolicy({ ...defaultPolicy(mode), ...change }));
  assert.equal(asks({}), false);
  assert.equal(asks({ hosts: [host] }), true);
  assert.equal(asks({ dnsServers: ['192.0.2.53'] }), true);
  assert.equal(asks({}, 'allowlist'), true);
  assert.equal(asks({ hosts: [host] }, 'open'), false);
});
