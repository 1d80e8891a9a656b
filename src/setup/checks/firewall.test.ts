import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockersIn, legacyBlockers, parseRuleset, permitCommands } from './firewall.ts';

const bridge = 'coibr0';
const forward = (table: string, policy: string) => ({
  chain: { family: 'ip', table, name: 'FORWARD', type: 'filter', hook: 'forward', prio: 0, policy },
});
const chain = (table: string, name: string) => ({ chain: { family: 'ip', table, name } });
/** As nft 1.0.6 prints rules that iptables-nft wrote. */
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

test('a host without other firewalls has none that blocks', () => {
  assert.deepEqual(blockersIn([], bridge), []);
  assert.deepEqual(blockersIn([forward('filter', 'accept')], bridge), []);
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
  assert.deepEqual(blockersIn([own], bridge), []);
});

test("Docker's drop is found until the bridge is allowed in both directions", () => {
  const docker = [forward('filter', 'drop'), chain('filter', 'DOCKER-USER')];
  const found = [{ by: 'docker', where: 'ip filter FORWARD' }];
  assert.deepEqual(blockersIn(docker, bridge), found);
  assert.deepEqual(blockersIn([...docker, acceptRule('iifname')], bridge), found);
  assert.deepEqual(
    blockersIn(
      [...docker, acceptRule('iifname', 'docker0'), acceptRule('oifname', 'docker0')],
      bridge,
    ),
    found,
  );
  assert.deepEqual(
    blockersIn([...docker, acceptRule('iifname'), acceptRule('oifname')], bridge),
    [],
  );
});

test('ufw, firewalld and unknown firewalls are distinguished', () => {
  assert.deepEqual(
    blockersIn(
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
    blockersIn(
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
    blockersIn(
      [{ chain: { family: 'inet', table: 'mine', name: 'f', hook: 'forward', policy: 'drop' } }],
      bridge,
    ),
    [{ by: 'other', where: 'inet mine f' }],
  );
});

test('iptables-legacy is read too', () => {
  const docker =
    '-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-N DOCKER-USER\n-A FORWARD -j DOCKER-USER';
  assert.deepEqual(legacyBlockers(docker, bridge), [
    { by: 'docker', where: 'iptables-legacy FORWARD' },
  ]);
  const through = `${docker}\n-A DOCKER-USER -o coibr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A DOCKER-USER -i coibr0 -j ACCEPT`;
  assert.deepEqual(legacyBlockers(through, bridge), []);
  assert.deepEqual(legacyBlockers('', bridge), []);
});

test('each firewall gets its own fix, and an unknown one is left alone', () => {
  const programs = (by: 'docker' | 'ufw' | 'firewalld' | 'other', legacy = false) => [
    ...new Set(permitCommands([{ by, where: '' }], legacy).map(([program]) => program)),
  ];
  assert.deepEqual(programs('docker'), ['iptables']);
  assert.deepEqual(programs('docker', true), ['iptables-legacy']);
  assert.deepEqual(programs('ufw'), ['ufw']);
  assert.deepEqual(programs('firewalld'), ['firewall-cmd']);
  assert.deepEqual(programs('other'), []);
});

test('a failed or empty listing does not mean a host without rules', () => {
  const listing = (status: number, stdout: string) =>
    parseRuleset({ status, stdout, stderr: 'Operation not permitted' });
  assert.deepEqual(listing(127, ''), []);
  assert.equal(listing(0, '{"nftables":[{"metainfo":{}}]}').length, 1);
  assert.throws(() => listing(0, ''), /listed nothing/);
  assert.throws(() => listing(0, '{"nftables":[]}'), /listed nothing/);
  assert.throws(() => listing(1, ''), /failed with status 1.*Operation not permitted/s);
});
