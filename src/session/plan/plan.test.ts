import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reservation } from '../../coid-api/session-protocol.ts';
import type { Profile, StoragePool } from '../../incus/shapes.ts';
import type { ContainerName, ImageAlias, SessionId, Slot, WorkspacePath } from '../../names.ts';
import { sessionRecord } from '../record/instance-record.ts';
import { sessionPlan } from './plan.ts';
import type { SessionSpec } from './session-spec.ts';

const request: SessionSpec = {
  session: '11111111-2222-4333-8444-555555555555' as SessionId,
  owner: 1003,
  workspace: '/home/u/project' as WorkspacePath,
  target: '/workspace',
  slot: undefined,
  prefix: 'coi-',
  tool: 'claude',
  image: 'coi-default' as ImageAlias,
  persistent: false,
  alias: undefined,
  profile: undefined,
  network: 'restricted',
  docker: true,
  surface: 'full',
  storagePool: undefined,
  limits: { config: {}, root: {}, raw: [] },
  timezone: 'Europe/Berlin',
  disposable: false,
  mounts: [
    {
      name: 'state-1',
      source: '/home/u/.coi/sessions-claude/x/.claude',
      target: '/home/code/.claude',
      readonly: false,
    },
  ],
};

const reservation: Reservation = {
  id: 'r1',
  container: 'coi-9dad1e4e-1' as ContainerName,
  slot: 1 as Slot,
  ownerUid: 1003,
  ownerGid: 1003,
  idmapBase: 2000000,
  nic: {
    bridge: 'coibr0',
    hostName: 'coi0123456789',
    mac: '10:66:6a:00:00:01',
    address: '10.77.0.9',
    prefixLength: 22,
    gateway: '10.77.0.1',
    nameserver: '10.77.0.1',
  },
  mounts: [
    { name: 'workspace', hostPath: '/run/coi/mounts/r1/workspace', kind: 'idmapped' },
    { name: 'state-1', hostPath: '/run/coi/mounts/r1/state-1', kind: 'idmapped' },
  ],
};

const profile = (devices: Profile['devices'], config: Profile['config'] = {}): Profile => ({
  name: 'default',
  description: '',
  config,
  devices,
  used_by: [],
});
const root = { root: { type: 'disk', path: '/', pool: 'default' } };
const pools: StoragePool[] = [
  { name: 'fast', driver: 'btrfs', status: 'Created', description: '', config: {}, used_by: [] },
];

test('the create call is exactly this', () => {
  const plan = sessionPlan(request, {
    defaultProfile: profile({ ...root, eth0: { type: 'nic', network: 'incusbr0' } }),
    pools: undefined,
  });
  const body = plan.instance(reservation);
  assert.deepEqual(
    {
      ...body,
      config: Object.fromEntries(
        Object.entries(body.config ?? {}).filter(([key]) => !key.startsWith('user.')),
      ),
    },
    {
      name: 'coi-9dad1e4e-1',
      type: 'container',
      start: true,
      ephemeral: false,
      description: 'coi session in /home/u/project',
      profiles: ['default'],
      source: { type: 'image', alias: 'coi-default' },
      config: {
        'boot.autostart': 'false',
        'security.guestapi': 'false',
        'security.idmap.isolated': 'true',
        'security.idmap.base': '2000000',
        'linux.sysctl.net.ipv4.ip_unprivileged_port_start': '0',
        'linux.sysctl.net.ipv4.ping_group_range': '0 65534',
        'environment.TZ': 'Europe/Berlin',
        'security.nesting': 'true',
        'security.syscalls.intercept.mknod': 'true',
        'security.syscalls.intercept.setxattr': 'true',
        'raw.lxc': 'lxc.net.0.ipv4.address = 10.77.0.9/22\nlxc.net.0.ipv4.gateway = 10.77.0.1',
      },
      devices: {
        eth0: {
          type: 'nic',
          network: 'coibr0',
          name: 'eth0',
          host_name: 'coi0123456789',
          hwaddr: '10:66:6a:00:00:01',
          'ipv4.address': '10.77.0.9',
        },
        workspace: { type: 'disk', source: '/run/coi/mounts/r1/workspace', path: '/workspace' },
        'state-1': {
          type: 'disk',
          source: '/run/coi/mounts/r1/state-1',
          path: '/home/code/.claude',
        },
      },
    },
  );
  assert.equal(body.config?.['user.coi.nameserver'], '10.77.0.1');
});

test("an instance's session record is read back as written", () => {
  const body = sessionPlan(
    { ...request, persistent: true, alias: 'web' as SessionSpec['alias'] },
    { defaultProfile: profile(root), pools: undefined },
  ).instance(reservation);
  const record = sessionRecord(body.config ?? {});
  assert.equal(record?.workspace, request.workspace);
  assert.equal(record?.session, request.session);
  assert.equal(record?.persistent, true);
  assert.equal(record?.alias, 'web');
  assert.equal(record?.owner, 1003);
  assert.equal(record?.phase, 'starting');
  assert.deepEqual(record?.mounts, {
    id: 'r1',
    runDir: '/run/coi',
    ownerUid: 1003,
    ownerGid: 1003,
    idmapBase: 2000000,
    mounts: [
      { name: 'workspace', source: '/home/u/project', readonly: false },
      { name: 'state-1', source: '/home/u/.coi/sessions-claude/x/.claude', readonly: false },
    ],
  });
});

test('a second NIC of the default profile is masked, since nothing would guard it', () => {
  const body = sessionPlan(request, {
    defaultProfile: profile({ ...root, lan: { type: 'nic', nictype: 'macvlan', parent: 'eth0' } }),
    pools: undefined,
  }).instance(reservation);
  assert.deepEqual(body.devices?.['lan'], { type: 'none' });
});

test('a default profile without a root disk gets one from the first pool; a requested pool must exist', () => {
  const facts = { defaultProfile: profile({}), pools };
  assert.deepEqual(sessionPlan(request, facts).instance(reservation).devices?.['root'], {
    type: 'disk',
    path: '/',
    pool: 'fast',
  });
  assert.throws(() => sessionPlan({ ...request, storagePool: 'slow' }, facts), {
    code: 'config-invalid',
  });
  assert.throws(() => sessionPlan(request, { defaultProfile: undefined, pools: [] }), {
    code: 'incus-failed',
  });
});

test('a privileged default profile is refused with the command that fixes it', () => {
  assert.throws(
    () =>
      sessionPlan(request, {
        defaultProfile: profile(root, { 'security.privileged': 'true' }),
        pools,
      }),
    { code: 'session-failed' },
  );
});

test('without Docker nesting is off', () => {
  const body = sessionPlan(
    { ...request, docker: false },
    { defaultProfile: profile(root), pools: undefined },
  ).instance(reservation);
  assert.equal(body.config?.['security.nesting'], 'false');
});

test('a mount that coid did not make is refused, not replaced by another', () => {
  const plan = sessionPlan(request, { defaultProfile: profile(root), pools: undefined });
  assert.throws(() => plan.instance({ ...reservation, mounts: reservation.mounts.slice(0, 1) }), {
    code: 'coid-failed',
  });
});

test('disk limits go to the root device, /tmp limits to lxc, the rest to the instance', () => {
  const limits = {
    config: { 'limits.cpu': '2' },
    root: { size: '5GiB' },
    raw: ['lxc.mount.entry = tmpfs tmp'],
  };
  const body = sessionPlan(
    { ...request, limits },
    { defaultProfile: profile(root), pools: undefined },
  ).instance(reservation);
  assert.deepEqual(body.devices?.['root'], {
    type: 'disk',
    path: '/',
    pool: 'default',
    size: '5GiB',
  });
  assert.equal(body.config?.['limits.cpu'], '2');
  assert.match(
    body.config?.['raw.lxc'] ?? '',
    /gateway = 10\.77\.0\.1\nlxc\.mount\.entry = tmpfs tmp$/,
  );
});
