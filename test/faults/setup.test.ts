// `coi setup` on private hosts with a real Incus, a real pool on a loop device and a real coid.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coiPath } from '../bed/program.ts';
import { PrivateHost } from './private-host.ts';

const limit = { timeout: 480_000 };
const coi = coiPath();
const setup = [coi, 'setup', '--yes'];

interface Report {
  readonly status: string;
  readonly checks: Record<string, { status: string; message: string }>;
}

async function health(host: PrivateHost): Promise<Report> {
  return JSON.parse((await host.run(coi, 'health', '--json')).stdout) as Report;
}

/** The image takes minutes to build; kernel and package age are the machine's. */
const notOfSetup = ['image', 'apparmor', 'incus_freshness'];

async function failedChecks(host: PrivateHost): Promise<string[]> {
  const { checks } = await health(host);
  return Object.entries(checks)
    .filter(([id, { status }]) => status !== 'ok' && !notOfSetup.includes(id))
    .map(([id, { message }]) => `${id}: ${message}`);
}

async function pools(host: PrivateHost): Promise<string> {
  const [storage, networks] = await Promise.all([
    host.run('incus', 'query', '/1.0/storage-pools'),
    host.run('incus', 'query', '/1.0/networks/coibr0'),
  ]);
  return storage.stdout + networks.stdout;
}

test(
  'one setup makes a host with only the packages ready, and the next has nothing to do',
  limit,
  async () => {
    await using host = await PrivateHost.open();
    assert.equal((await health(host)).status, 'unhealthy');
    const first = await host.run(...setup);
    assert.equal(first.status, 0, first.stderr);
    assert.deepEqual(await failedChecks(host), []);
    const { stdout } = await host.run('incus', 'storage', 'show', 'default');
    assert.match(stdout, /^driver: btrfs$/m);
    assert.match((await host.run('cat', '/etc/subuid')).stdout, /^root:600113152:1000000000$/m);
    const before = await pools(host);
    const second = await host.run(...setup);
    assert.match(second.stdout, /^Nothing to do/);
    assert.equal(await pools(host), before);
  },
);

test(
  'setup brings back a host whose processes were all killed, with its pool and network',
  limit,
  async () => {
    await using host = await PrivateHost.open();
    assert.equal((await host.run(...setup)).status, 0);
    const before = await pools(host);
    const killed = await host.killAll();
    for (const name of ['incusd', 'lxcfs', 'dnsmasq']) assert.ok(killed.includes(name), name);
    assert.match((await health(host)).checks['lxcfs']?.message ?? '', /the mount is dead/);
    const again = await host.run(...setup);
    assert.equal(again.status, 0, again.stderr);
    assert.deepEqual(await failedChecks(host), []);
    assert.equal(await pools(host), before);

    await host.killAll();
    await host.run('umount', '/var/lib/incus/storage-pools/default');
    assert.equal((await host.run(...setup)).status, 0);
    assert.deepEqual(await failedChecks(host), []);
    assert.equal(await pools(host), before);
  },
);

test('a setup that is killed at any step is completed by the next one', limit, async () => {
  await using host = await PrivateHost.open();
  await host.killAtEachStep(setup, {
    titles: ['Incus', 'Storage pool', 'Network bridge', 'coi', 'coid'],
    undo: [coi, 'setup', '--remove', '--yes'],
  });
  assert.deepEqual(await failedChecks(host), []);
});

test('setup without root prints its plan and changes nothing', limit, async () => {
  await using host = await PrivateHost.open();
  const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const { status, stderr } = await host.run(...asNobody, ...setup);
  assert.equal(status, 1);
  assert.match(stderr, /- start Incus in the background/);
  assert.match(stderr, /^Error: preparing this host needs root$/m);
  assert.match(stderr, /^Hint: Run it as root: sudo \.\/coi setup$/m);
  assert.equal((await host.run('ls', '-A', '/var/lib/incus')).stdout, '');
});
