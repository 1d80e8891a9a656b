import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkReport } from '../coid-api/network-protocol.ts';
import { judge, reachOf, refusals } from './explain.ts';
import { defaultPolicy } from './policy.ts';

const report: NetworkReport = {
  container: 'coi-a-1',
  interface: 'coi1',
  address: '10.77.2.1',
  bridge: { name: 'br0', gateway: '10.77.0.1', prefixLength: 22 },
  policy: { ...defaultPolicy('allowlist'), allow: ['api.example.org'] },
  permits: [
    { entry: 'for-a-while.example.org', until: '2026-01-01T00:00:00Z' },
    { entry: '10.1.1.1:22', until: '2026-01-01T00:00:00Z' },
  ],
  attached: ['192.0.2.0/24'],
  inForce: true,
  denials: [
    { address: '93.184.215.14', protocol: 'tcp', port: 443, secondsAgo: 60 },
    { address: '10.77.0.1', protocol: 'icmp', port: undefined, secondsAgo: 10 },
  ],
  names: [
    {
      name: 'evil.test',
      type: 'A',
      reason: 'coi: not on the list',
      count: 3,
      at: '2026-01-01T11:59:30.000Z',
    },
  ],
};

test('a temporary permit is judged like an allowlist entry', () => {
  const reach = reachOf(report);
  const verdict = (host: string, port: number | undefined, addresses: readonly string[]) =>
    judge({ host, port }, addresses, reach).map(({ verdict: one }) => one);
  assert.deepEqual(verdict('for-a-while.example.org', undefined, []), ['allowed']);
  assert.deepEqual(verdict('10.1.1.1', 22, ['10.1.1.1']), ['allowed']);
  assert.deepEqual(verdict('10.1.1.1', 23, ['10.1.1.1']), ['refused']);
  assert.deepEqual(verdict('evil.test', undefined, ['93.184.215.14']), ['refused']);
});

test('each address of a listed name is judged: a private one stays closed', () => {
  const verdicts = judge(
    { host: 'api.example.org', port: 443 },
    ['93.184.215.14', '10.9.9.9', '192.0.2.7'],
    reachOf(report),
  );
  assert.deepEqual(
    verdicts.map(({ verdict, rule }) => `${verdict} ${rule}`),
    ['allowed allowed_domains', 'refused block_private_networks', 'refused block_private_networks'],
  );
});

test('refusals are listed in order, each with its rule and the permit command', () => {
  const lines = refusals(report, new Date('2026-01-01T12:00:00Z'));
  assert.deepEqual(
    lines.map(({ at, kind, destination, rule }) => [at, kind, destination, rule]),
    [
      ['2026-01-01T11:59:00.000Z', 'address', 'tcp 93.184.215.14:443', 'allowed_domains'],
      ['2026-01-01T11:59:30.000Z', 'name', 'evil.test A', 'allowed_domains'],
      ['2026-01-01T11:59:50.000Z', 'address', 'icmp 10.77.0.1', 'host-and-containers'],
    ],
  );
  assert.match(lines[1]?.permit ?? '', /coi network allow evil\.test/);
  assert.equal(lines[2]?.permit, undefined);
});
