import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockers, fixes, legacyBlockers, listedRules } from './firewall.ts';

const bridge = 'coibr0';
const forward = (table: string, policy: string) => ({
  chain: { family: 'ip', table, name: 'FORWARD', type: 'filter', hook: 'forward', prio: 0, policy },
});
const chain = (table: string, name: string) => ({ chain: { family: 'ip', table, name } });
/** As nft 1.0.6 shows what iptables-nft wrote. */
const acceptRule = (key: 'iifname' | 'oifname', name = bridge) => ({
  rule: {
    family: 'ip',
    table: 'filter',
    chain: 'DOCKER-USER',
    expr: [
      { match: { op: '==', left: { meta: { key } }, right: name } },
      { counter: { packets: 0, bytes: 0 } },
      { accept: null },
    ],
  },
});

test('a host without other firewalls has none that block', () => {
  assert.deepEqual(blockers([], bridge), []);
  assert.deepEqual(blockers([forward('filter', 'accept')], bridge), []);
  const own = {
    chain: {
      family: 'inet',
      table: 'coi',
      name: 'forward',
      type: 'filter',
      hook: 'forward',
      prio: -5,
      policy: 'drop',
    },
  };
  assert.deepEqual(blockers([own], bridge), []);
});

test("Docker's drop is seen until the bridge is let through both ways", () => {
  const docker = [forward('filter', 'drop'), chain('filter', 'DOCKER-USER')];
  const found = [{ by: 'docker', where: 'ip filter FORWARD' }];
  assert.deepEqual(blockers(docker, bridge), found);
  assert.deepEqual(blockers([...docker, acceptRule('iifname')], bridge), found);
  assert.deepEqual(
    blockers(
      [...docker, acceptRule('iifname', 'docker0'), acceptRule('oifname', 'docker0')],
      bridge,
    ),
    found,
  );
  assert.deepEqual(blockers([...docker, acceptRule('iifname'), acceptRule('oifname')], bridge), []);
});

test('ufw, firewalld and what nobody knows are told apart', () => {
  assert.deepEqual(
    blockers(
      [
        forward('filter', 'drop'),
        chain('filter', 'ufw-before-forward'),
        chain('filter', 'DOCKER-USER'),
      ],
      bridge,
    )[0]?.by,
    'ufw',
  );
  assert.deepEqual(
    blockers(
      [
        {
          chain: {
            family: 'inet',
            table: 'firewalld',
            name: 'filter_FORWARD',
            hook: 'forward',
            policy: 'accept',
          },
        },
      ],
      bridge,
    )[0]?.by,
    'firewalld',
  );
  assert.deepEqual(
    blockers(
      [{ chain: { family: 'inet', table: 'mine', name: 'f', hook: 'forward', policy: 'drop' } }],
      bridge,
    ),
    [{ by: 'other', where: 'inet mine f' }],
  );
});

test('the old iptables is read as well', () => {
  const docker =
    '-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-N DOCKER-USER\n-A FORWARD -j DOCKER-USER';
  assert.deepEqual(legacyBlockers(docker, bridge), [
    { by: 'docker', where: 'iptables-legacy FORWARD' },
  ]);
  const through = `${docker}\n-A DOCKER-USER -o coibr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A DOCKER-USER -i coibr0 -j ACCEPT`;
  assert.deepEqual(legacyBlockers(through, bridge), []);
  assert.deepEqual(legacyBlockers('', bridge), []);
});

test('each is answered in its own language, and what is not known is left alone', () => {
  const programs = (by: 'docker' | 'ufw' | 'firewalld' | 'other', legacy = false) => [
    ...new Set(fixes([{ by, where: '' }], legacy).map(([program]) => program)),
  ];
  assert.deepEqual(programs('docker'), ['iptables']);
  assert.deepEqual(programs('docker', true), ['iptables-legacy']);
  assert.deepEqual(programs('ufw'), ['ufw']);
  assert.deepEqual(programs('firewalld'), ['firewall-cmd']);
  assert.deepEqual(programs('other'), []);
});

test('a listing that failed or told nothing is no host without rules', () => {
  const listing = (status: number, stdout: string) =>
    listedRules({ status, stdout, stderr: 'Operation not permitted' });
  assert.deepEqual(listing(127, ''), []);
  assert.equal(listing(0, '{"nftables":[{"metainfo":{}}]}').length, 1);
  assert.throws(() => listing(0, ''), /listed nothing/);
  assert.throws(() => listing(0, '{"nftables":[]}'), /listed nothing/);
  assert.throws(() => listing(1, ''), /failed with status 1.*Operation not permitted/s);
});
