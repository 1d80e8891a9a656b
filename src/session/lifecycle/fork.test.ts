import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forkInstance } from './fork.ts';

test("a fork has its source's disk and none of its identity", () => {
  const source = {
    name: 'coi-a-1',
    config: {
      'user.coi.alert': 'old',
      'user.coi.session': 'one',
      'raw.lxc': 'old address',
      'limits.cpu': '2',
    },
    devices: {
      root: { type: 'disk', path: '/', pool: 'big' },
      'mount-1': { type: 'disk', source: '/run/coi/mounts/old/mount-1', path: '/data' },
      eth0: { type: 'nic', 'ipv4.address': '10.0.0.2' },
    },
  };
  const create = {
    name: 'coi-a-2',
    type: 'container',
    start: true,
    source: { type: 'image', alias: 'coi-default' },
    config: { 'user.coi.session': 'two', 'raw.lxc': 'new address' },
    devices: { eth0: { type: 'nic', 'ipv4.address': '10.0.0.3' } },
  } as const;
  const fork = forkInstance(create, source);
  assert.deepEqual(fork.source, { type: 'copy', source: 'coi-a-1', instance_only: true });
  assert.deepEqual(fork.config, {
    'user.coi.alert': '',
    'user.coi.session': 'two',
    'raw.lxc': 'new address',
  });
  assert.deepEqual(fork.devices, {
    'mount-1': { type: 'none' },
    eth0: { type: 'nic', 'ipv4.address': '10.0.0.3' },
  });
});
