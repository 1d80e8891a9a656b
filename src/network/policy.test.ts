import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CoiError } from '../errors.ts';
import {
  closedPolicy,
  type NetworkSettings,
  needsResolver,
  networkPolicy,
  plainPolicy,
  policyOf,
  policyRecord,
  policyToRecord,
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

test('the defaults of a mode are what its name says', () => {
  assert.deepEqual(policyRecord(defaults), plainPolicy('restricted'));
  assert.deepEqual(
    policyRecord({ ...defaults, 'network.mode': 'open', 'network.dns_servers': ['::1'] }),
    plainPolicy('open'),
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

test('a policy survives being carried as JSON', () => {
  const record = policyRecord({
    ...defaults,
    'network.mode': 'allowlist',
    'network.allowed_domains': ['Api.Example.org:443', '192.0.2.9/24'],
    'network.dns_servers': ['192.0.2.53'],
    'network.allowed_ports': [443, 80],
    'network.hosts': [{ ip: '192.0.2.1', hostnames: ['db.test'], ports: [5432] }],
  });
  const policy = networkPolicy(record);
  assert.deepEqual(policyOf('allowlist', JSON.stringify(record)), policy);
  assert.deepEqual(networkPolicy(policyToRecord(policy)), policy);
});

test('whatever stands in the key, a guard that cannot read it closes everything', () => {
  const closed = networkPolicy(closedPolicy);
  const broken = [
    '',
    '{',
    'null',
    '[]',
    '{"mode":"open"}',
    JSON.stringify(plainPolicy('open')),
    JSON.stringify({ ...plainPolicy('restricted'), allow: ['a b'] }),
    JSON.stringify({ ...plainPolicy('restricted'), blockPrivate: 'no' }),
  ];
  for (const text of broken) assert.deepEqual(policyOf('restricted', text), closed, text);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.deepEqual(policyOf('restricted', text), closed);
    }),
    { numRuns: 300 },
  );
});

test('a session without a policy of its own gets what its mode means, and nothing looser', () => {
  assert.deepEqual(policyOf('restricted', undefined), networkPolicy(plainPolicy('restricted')));
  assert.deepEqual(policyOf('allowlist', undefined), networkPolicy(closedPolicy));
});

test('what cannot be enforced is refused with its place', () => {
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

test('coid answers questions where the name server of the bridge knows too much or too little', () => {
  const host = { address: '192.0.2.1', names: ['db'], ports: [] };
  const asks = (change: object, mode: 'restricted' | 'allowlist' | 'open' = 'restricted') =>
    needsResolver(networkPolicy({ ...plainPolicy(mode), ...change }));
  assert.equal(asks({}), false);
  assert.equal(asks({ hosts: [host] }), true);
  assert.equal(asks({ dnsServers: ['192.0.2.53'] }), true);
  assert.equal(asks({}, 'allowlist'), true);
  assert.equal(asks({ hosts: [host] }, 'open'), false);
});
