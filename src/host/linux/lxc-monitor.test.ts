// Goal: a container that LXC still runs is told from one that it does not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasLxcMonitor } from './lxc-monitor.ts';

const sockets = `Num       RefCount Protocol Flags    Type St Inode Path
000000009df2a2f5: 00000002 00000000 00010000 0001 01 123456 @/var/lib/incus/containers/coi-1a2b3c4d-1/command
00000000ff21bd0e: 00000002 00000000 00010000 0001 01 123457 /run/coi/coid.sock
`;

test('the monitor of a container is found by its whole name', () => {
  assert.equal(hasLxcMonitor(sockets, 'coi-1a2b3c4d-1'), true);
  assert.equal(hasLxcMonitor(sockets, '1a2b3c4d-1'), false);
  assert.equal(hasLxcMonitor(sockets, 'coi-1a2b3c4d-10'), false);
  assert.equal(hasLxcMonitor('', 'coi-1a2b3c4d-1'), false);
});
