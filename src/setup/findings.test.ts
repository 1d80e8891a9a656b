// Findings of single checks from given facts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bridge, coidStatus, gib, pool } from '../../test/fakes/host-states.ts';
import type { Settings } from '../config/keys/table.ts';
import {
  accountPool,
  accountsLeft,
  findIdRange,
  hasRange,
  membershipFinding,
  parseGroup,
} from './checks/access.ts';
import { coidFinding, programFinding } from './checks/coi.ts';
import { serverFinding } from './checks/incus.ts';
import { bridgeFinding } from './checks/network.ts';
import { noticesFinding } from './checks/notices.ts';
import { kernelFinding } from './checks/os.ts';
import { planPool, poolFinding } from './checks/storage.ts';

test('a kernel before 5.15 or without user namespaces fails', () => {
  assert.equal(kernelFinding('5.15.0-generic', 1).status, 'ok');
  assert.equal(kernelFinding('6.1.0-13-amd64', Number.NaN).status, 'ok');
  assert.equal(kernelFinding('5.14.21', 1).status, 'failed');
  assert.equal(kernelFinding('4.19', 1).status, 'failed');
  assert.equal(kernelFinding('', 1).status, 'failed');
  assert.equal(kernelFinding('6.1.0', 0).status, 'failed');
});

test('a new pool takes 40 % of the free space, at least 10 GiB and at most 30', () => {
  const size = (freeGib: number) => {
    const plan = planPool({ freeBytes: freeGib * gib, btrfs: true, loop: true });
    return plan.kind === 'btrfs' ? plan.sizeGib : plan.kind;
  };
  assert.deepEqual([9.9, 10, 25, 26, 50, 75, 1000].map(size), ['none', 10, 10, 10, 20, 30, 30]);
});

test('without btrfs or loop devices the pool is plain directories', () => {
  const facts = { freeBytes: 100 * gib, btrfs: true, loop: true };
  assert.equal(planPool({ ...facts, btrfs: false }).kind, 'dir');
  assert.equal(planPool({ ...facts, loop: false }).kind, 'dir');
});

test('a pool is checked for state, space and driver', () => {
  const space = (usedGib: number, totalGib: number) => ({
    used: usedGib * gib,
    total: totalGib * gib,
  });
  assert.equal(poolFinding(pool('p', 'zfs'), space(1, 30)).status, 'ok');
  assert.equal(poolFinding(pool('p', 'zfs'), undefined).status, 'ok');
  assert.equal(poolFinding(pool('p', 'btrfs'), space(26, 30)).status, 'warning');
  assert.equal(poolFinding(pool('p', 'btrfs'), space(6, 10)).status, 'warning');
  assert.equal(poolFinding(pool('p', 'btrfs'), space(28.5, 30)).status, 'failed');
  assert.equal(poolFinding(pool('p', 'btrfs'), space(5, 6.5)).status, 'failed');
  assert.equal(poolFinding(pool('p', 'dir'), space(1, 30)).status, 'warning');
  assert.equal(poolFinding(pool('p', 'btrfs', {}, 'Unavailable'), undefined).status, 'failed');
  const thick = pool('p', 'lvm', { 'lvm.use_thinpool': 'false' });
  assert.equal(poolFinding(thick, space(1, 30)).status, 'warning');
});

test('a bridge must leave addresses for sessions outside its DHCP range', () => {
  const healthy = {
    'ipv4.address': '10.5.0.1/22',
    'ipv4.nat': 'true',
    'ipv4.dhcp.ranges': '10.5.3.2-10.5.3.250',
  };
  const status = (changes: Record<string, string>) =>
    bridgeFinding(bridge('coibr0', { ...healthy, ...changes })).status;
  assert.equal(status({}), 'ok');
  assert.equal(status({ 'ipv4.dhcp.ranges': '' }), 'failed');
  assert.equal(status({ 'ipv4.dhcp.ranges': '10.5.0.2-10.5.3.250' }), 'failed');
  assert.equal(status({ 'ipv4.dhcp.ranges': '10.5.0.2-10.5.1.2,10.5.2.1-10.5.2.5' }), 'ok');
  assert.equal(status({ 'ipv4.address': 'none' }), 'failed');
  assert.equal(status({ 'ipv4.address': '10.5.0.1/28' }), 'failed');
  assert.equal(status({ 'ipv4.nat': '' }), 'warning');
  assert.equal(bridgeFinding({ ...bridge('coibr0', healthy), managed: false }).status, 'failed');
});

test('group members are read from group(5)', () => {
  const text = 'root:x:0:\nincus-admin:x:994:ann,bob\nincus-admin2:x:1:eve\n';
  assert.deepEqual(parseGroup(text, 'incus-admin'), { gid: 994, members: ['ann', 'bob'] });
  assert.equal(parseGroup(text, 'incus'), undefined);
});

test('membership is present, present after the next login, or missing', () => {
  const group = { gid: 994, members: ['ann'] };
  const of = (name: string, uid: number, groups: number[]) =>
    membershipFinding(group, { name, uid }, groups);
  assert.equal(of('root', 0, []).status, 'ok');
  assert.equal(of('ann', 1000, [994]).status, 'ok');
  assert.match(of('ann', 1000, [1000]).message, /so coi uses sg/);
  assert.equal(of('eve', 1001, [1001]).status, 'failed');
  assert.match(of('eve', 1001, [1001]).plan ?? '', /can become root/);
});

test('an id range counts if one container fits into it', () => {
  assert.equal(hasRange('ann:100000:65536\nroot:1000000:1000000000\n'), true);
  assert.equal(hasRange('root:100000:65536'), true);
  assert.equal(hasRange('root:100000:65535'), false);
  assert.equal(hasRange('ann:100000:65536'), false);
  assert.equal(hasRange(''), false);
});

const accounts = accountPool('', 'UID');
const facts = (text: string, uidMap = '0 0 4294967295\n', defs = '') => ({
  files: [{ path: '/etc/subuid', text, pool: accountPool(defs, 'UID') }],
  uidMap,
});

test('the container range is outside the ranges that useradd gives', () => {
  assert.deepEqual(findIdRange(facts('ann:100000:65536\n')), {
    first: 600_113_152,
    count: 1_000_000_000,
  });
  const own = 'SUB_UID_MIN 100000\nSUB_UID_MAX 900000000\n';
  assert.equal((findIdRange(facts('', undefined, own))?.first ?? 0) > 900_000_000, true);
  const far = findIdRange(facts('ldap:700000000:1000000\n'));
  assert.equal((far?.first ?? 0) >= 701_000_000, true);
});

test('in a container the range is the available one', () => {
  assert.deepEqual(findIdRange(facts('', '0 1000000 1000000000\n')), {
    first: 600_113_152,
    count: 399_886_848,
  });
  const small = findIdRange(facts('', '0 100000 2000000\n'));
  assert.deepEqual(small, { first: 1_048_576, count: 951_424 });
  assert.deepEqual(findIdRange(facts('', '0 100000 300000\n')), { first: 131_072, count: 168_928 });
  assert.equal(findIdRange(facts('', '0 100000 65536\n')), undefined);
});

test('the remaining number of accounts is counted', () => {
  assert.equal(accountsLeft('root:1000000:1000000000\n', accounts), 13);
  assert.equal(accountsLeft('ann:100000:65536\nroot:600113152:1000000000\n', accounts), 9154);
  assert.equal(accountsLeft('root:100000:1000000000\n', accounts), 0);
});

const installPaths = {
  installPaths: { libDir: '/lib/coi', linkPath: '/bin/coi', manPath: '/man/coi.1' },
};

test('the program is installed, of another build, shadowed or missing', () => {
  type Link = 'ours' | 'other' | 'missing';
  const of = (installed: string | undefined, link: Link, man: Link = 'ours') =>
    programFinding({ wanted: 'a', installed, link, man }, installPaths);
  assert.equal(of('a', 'ours').status, 'ok');
  assert.equal(of('b', 'ours').status, 'warning');
  assert.equal(of('a', 'other').status, 'warning');
  assert.equal(of(undefined, 'missing').status, 'failed');
  assert.match(of(undefined, 'other').plan ?? '', /is kept next to it/);
  assert.match(of('a', 'ours', 'missing').plan ?? '', /install the man page/);
  assert.equal(of('a', 'ours', 'other').status, 'ok');
});

test('coid must have this version, and this build if that is known', () => {
  const of = (status: Parameters<typeof coidStatus>[0], path?: string) =>
    coidFinding(coidStatus(status), '1.2.3', '/lib/coi/a/', path);
  assert.equal(of({}, '/lib/coi/a/bin/node').status, 'ok');
  assert.equal(of({}).status, 'ok');
  assert.equal(of({}, '/lib/coi/b/bin/node').status, 'warning');
  assert.equal(of({ version: '1.2.2' }).status, 'failed');
  assert.equal(of({ protocol: 0 }).status, 'failed');
  const unguarded = of({ guarded: 1, guardFailure: 'nft is missing' });
  assert.equal(unguarded.status, 'failed');
  assert.match(unguarded.message, /not active: nft is missing/);
  const blocked = of({ filesHeld: ['/mnt/far'], guardsLeftIn: ['/mnt/far/app'] });
  assert.equal(blocked.status, 'warning');
  assert.match(blocked.message, /at "\/mnt\/far" does not answer/);
  const left = of({ guardsLeftIn: ['/home/ann/app'] });
  assert.equal(left.status, 'warning');
  assert.match(left.message, /guard is left in "\/home\/ann\/app"/);
});

test('a server older than 6.0 fails', () => {
  const of = (version: string) => {
    const environment = {
      server: 'incus',
      server_version: version,
      server_pid: 1,
      kernel_version: '6',
      storage: '',
    };
    const server = { api_extensions: [], auth: '', config: {}, environment };
    return serverFinding({ kind: 'ready', incus: {} as never, server }, true).status;
  };
  assert.deepEqual(['6.0.4', '6.14', '7.0', '5.21', '0.7'].map(of), [
    'ok',
    'ok',
    'ok',
    'failed',
    'failed',
  ]);
});

test('notices: where they go, and why the last one failed', () => {
  const settings = {
    'notify.on': ['asks'],
    'notify.desktop': true,
    'notify.command': [],
    'notify.webhook': 'https://example.org/',
    'notify.ntfy': undefined,
  } as unknown as Settings;
  const config = { kind: 'loaded', settings, warnings: [], waiting: 0 } as const;
  const facts = { config, hasDesktop: true, lastFailure: undefined };
  const nowMs = Date.parse('2026-11-30T10:00:00Z');
  assert.equal(noticesFinding(facts, nowMs).message, 'desktop, webhook');
  assert.equal(noticesFinding({ ...facts, hasDesktop: false }, nowMs).message, 'webhook');
  const lastFailure = { at: '2026-11-30T09:00:00Z', what: 'webhook', reason: 'refused' };
  const failed = noticesFinding({ ...facts, lastFailure }, nowMs);
  assert.equal(failed.status, 'warning');
  assert.match(failed.message, /webhook failed at 2026-11-30T09:00:00Z: refused/);
  const longAgo = { ...lastFailure, at: '2026-10-30T09:00:00Z' };
  assert.equal(noticesFinding({ ...facts, lastFailure: longAgo }, nowMs).status, 'ok');
});
