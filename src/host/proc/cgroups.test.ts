import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupsOf, cpuNanoseconds } from './cgroups.ts';
import { parseIds, parseStat } from './processes.ts';

const hybridMounts = `tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
cgroup /sys/fs/cgroup/cpuacct cgroup rw,relatime,cpuacct 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
cgroup /sys/fs/cgroup/freezer cgroup rw,relatime,freezer 0 0
cgroup /sys/fs/cgroup/systemd cgroup rw,relatime,name=systemd 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
`;
const hybridProcess = `9:name=systemd:/lxc.payload.coi-1a2b3c4d-1/init.scope
6:freezer:/lxc.payload.coi-1a2b3c4d-1
4:memory:/lxc.payload.coi-1a2b3c4d-1/init.scope
2:cpuacct:/lxc.payload.coi-1a2b3c4d-1
1:cpu:/lxc.payload.coi-1a2b3c4d-1
0::/lxc.payload.coi-1a2b3c4d-1/init.scope
`;
const unifiedMounts = `sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0
cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot 0 0
`;

test('on a host with cgroup v1 the freezer hierarchy lists the processes', () => {
  const found = cgroupsOf(hybridProcess, hybridMounts);
  assert.equal(found?.version, 1);
  assert.equal(found.processes, '/sys/fs/cgroup/freezer/lxc.payload.coi-1a2b3c4d-1');
  assert.deepEqual(found.freezer, {
    file: '/sys/fs/cgroup/freezer/lxc.payload.coi-1a2b3c4d-1/freezer.state',
    frozen: 'FROZEN',
    thawed: 'THAWED',
  });
  // Groups that the guest created below its own are not the container.
  assert.equal(
    found.memory?.usage,
    '/sys/fs/cgroup/memory/lxc.payload.coi-1a2b3c4d-1/memory.usage_in_bytes',
  );
  assert.equal(found.cpu, '/sys/fs/cgroup/cpuacct/lxc.payload.coi-1a2b3c4d-1/cpuacct.usage');
});

test('on a host with cgroup v2 there is one tree', () => {
  const found = cgroupsOf('0::/lxc.payload.coi-1a2b3c4d-1/init.scope\n', unifiedMounts);
  assert.equal(found?.version, 2);
  assert.equal(found.processes, '/sys/fs/cgroup/lxc.payload.coi-1a2b3c4d-1');
  assert.equal(found.freezer.file, '/sys/fs/cgroup/lxc.payload.coi-1a2b3c4d-1/cgroup.freeze');
  assert.equal(found.memory?.limit, '/sys/fs/cgroup/lxc.payload.coi-1a2b3c4d-1/memory.max');
});

test('a container below a systemd slice is found, a host process is not', () => {
  const nested = cgroupsOf(
    '0::/system.slice/incus.service/lxc.payload.coi-1a2b3c4d-1/system.slice/docker.service\n',
    unifiedMounts,
  );
  assert.equal(
    nested?.processes,
    '/sys/fs/cgroup/system.slice/incus.service/lxc.payload.coi-1a2b3c4d-1',
  );
  assert.equal(
    cgroupsOf('0::/user.slice/user-1000.slice/session-3.scope\n', unifiedMounts),
    undefined,
  );
  assert.equal(cgroupsOf('0::/lxc.monitor.coi-1a2b3c4d-1\n', unifiedMounts), undefined);
});

test('CPU time is in nanoseconds in both versions', () => {
  assert.equal(cpuNanoseconds('1257471188\n'), 1_257_471_188);
  assert.equal(
    cpuNanoseconds('usage_usec 1257471\nuser_usec 1000000\nsystem_usec 257471\n'),
    1_257_471_000,
  );
});

test('a process name cannot hide the fields after it', () => {
  const stat = parseStat(
    '12 (a) S 1 (b c) R 7 12 12 0 -1 4194560 1 2 3 4 10 5 0 0 20 0 1 0 9876 1000 25 18446744073709551615 0\n',
  );
  assert.deepEqual(stat, {
    comm: 'a) S 1 (b c',
    state: 'R',
    ppid: 7,
    cpuTicks: 15,
    startTicks: 9876,
    rssBytes: 25 * 4096,
  });
});

test('the last pid is the one inside the container', () => {
  const status =
    'Name:\tbash\nUid:\t1001000\t1001000\t1001000\t1001000\nNStgid:\t5398\t77\t3\nNSpid:\t5398\t77\t3\nNSsid:\t5398\t1\t1\n';
  assert.deepEqual(parseIds(status), { uid: 1_001_000, innerPid: 3 });
});
