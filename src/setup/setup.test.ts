import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  bridge,
  type FakeHostState,
  healthyState,
  pool,
  untouchedProfile,
} from '../../test/fakes/host-states.ts';
import { FakeHost } from '../../test/fakes/machine.ts';
import { checks } from './checks.ts';
import { type CheckResult, runChecks, verdict } from './report.ts';
import { fixableResults, runSetup, type SetupEvent } from './setup.ts';

const elapsedMs = () => 0;
const quiet = { checks, onEvent: () => {}, elapsedMs };
const ids = (probed: readonly CheckResult[]) => probed.map(({ check }) => check.id);
const notOk = (probed: readonly CheckResult[]) =>
  probed
    .filter(({ finding }) => finding.status !== 'ok')
    .map(({ check, finding }) => `${check.id}: ${finding.message}`);

async function plansOf(host: FakeHost): Promise<string[]> {
  return ids(fixableResults(await runChecks(checks, host.context())));
}

describe('a bare Debian 12 without systemd', () => {
  test('a bare Debian 12 lacks nearly everything, and setup prints its plan', async () => {
    const host = new FakeHost();
    assert.deepEqual(await plansOf(host), [
      'kernel_limits',
      'apt_source',
      'packages',
      'uid_mapping',
      'permissions',
      'lxcfs',
      'incus',
      'incus_storage_pools',
      'network_bridge',
      'default_profile',
      'ip_forwarding',
      'program',
      'coid',
    ]);
    assert.deepEqual(host.ran, [], 'probing changes nothing');
  });

  test('a bare Debian 12 is ready after one setup, except for the image', async () => {
    const host = new FakeHost();
    const after = await runSetup(host.context(), quiet);
    assert.deepEqual(notOk(after), ['image: coi-default is not built yet']);
    const bridges = host.networks.map(({ name, config }) => [
      name,
      config['ipv4.address'],
      config['ipv4.dhcp.ranges'],
    ]);
    assert.deepEqual(bridges, [['coibr0', '10.77.0.1/22', '10.77.3.2-10.77.3.250']]);
    assert.deepEqual(
      host.pools.map(({ name, driver, config }) => [name, driver, config]),
      [['default', 'btrfs', { size: '30GiB' }]],
    );
    assert.deepEqual(host.profile?.devices, {
      root: { type: 'disk', path: '/', pool: 'default' },
      eth0: { type: 'nic', name: 'eth0', network: 'coibr0' },
    });
    assert.match((await host.readText('/etc/subuid')) ?? '', /^root:600113152:1000000000$/m);
  });

  test("setup gets Incus from the backports of the host's mirror, with the same keys", async () => {
    const host = new FakeHost();
    await runSetup(host.context(), quiet);
    assert.equal(
      await host.readText('/etc/apt/sources.list.d/coi-backports.sources'),
      '# Written by `coi setup`: Incus for this release.\nTypes: deb\nURIs: http://mirror.example/debian\nSuites: bookworm-backports\nComponents: main\nSigned-By: /usr/share/keyrings/k.gpg\n',
    );
    assert.ok(
      host.ran.some(
        (line) =>
          line.startsWith('apt-get') &&
          line.includes('-t bookworm-backports') &&
          line.includes('incus-base'),
      ),
    );
  });

  test('setup raises the kernel limits that sessions share, and keeps them for later boots', async () => {
    const host = new FakeHost();
    await runSetup(host.context(), quiet);
    const path = '/proc/sys/fs/inotify/max_user_instances';
    assert.equal(await host.readText(path), '1048576');
    const kept = (await host.readText('/etc/sysctl.d/61-coi-limits.conf')) ?? '';
    assert.match(kept, /^fs\.inotify\.max_user_instances = 1048576$/m);
    assert.doesNotMatch(kept, /max_map_count/, 'a limit that is high enough is unchanged');
  });

  test('setup leaves limits that it may not change, as in a container, and reports it', async () => {
    const host = new FakeHost();
    const denied = Object.assign(new Error('read-only'), { code: 'EROFS' });
    const { overwrite } = host;
    host.overwrite = (path, text) =>
      path.includes('inotify') ? Promise.reject(denied) : overwrite.call(host, path, text);
    const after = await runSetup(host.context(), quiet);
    assert.deepEqual(notOk(after), [
      'kernel_limits: too low for many sessions: fs.inotify.max_user_instances is 128',
      'image: coi-default is not built yet',
    ]);
  });

  test('a second setup has nothing to do', async () => {
    const host = new FakeHost();
    await runSetup(host.context(), quiet);
    host.ran.length = 0;
    assert.deepEqual(await plansOf(host), []);
    await runSetup(host.context(), quiet);
    assert.deepEqual(host.ran, []);
  });

  test('setup adds the user who called sudo to the group', async () => {
    const host = new FakeHost({ caller: { name: 'ann', uid: 1000 } });
    await runSetup(host.context(), quiet);
    assert.match((await host.readText('/etc/group')) ?? '', /^incus-admin:.*ann$/m);
  });
});

test('an interrupted setup can be repeated at any step and ends with a ready host', async () => {
  const steps = fixableResults(await runChecks(checks, new FakeHost().context())).length;
  for (let at = 0; at < steps; at++) {
    for (const when of ['before', 'after'] as const) {
      const host = new FakeHost();
      const stop = new AbortController();
      let started = 0;
      const onEvent = (event: SetupEvent) => {
        const due = event.kind === (when === 'before' ? 'started' : 'ended');
        if (due && started++ === at) stop.abort(new Error('interrupted'));
      };
      await runSetup(host.context(stop.signal), { checks, onEvent: onEvent, elapsedMs }).catch(
        () => {
          // The interruption is intended.
        },
      );
      const after = await runSetup(host.context(), quiet);
      assert.deepEqual(notOk(after), ['image: coi-default is not built yet'], `${when} step ${at}`);
    }
  }
});

test('setup changes nothing on a healthy host', async () => {
  const host = new FakeHost(healthyState);
  const probed = await runChecks(checks, host.context());
  assert.deepEqual(notOk(probed), []);
  assert.equal(verdict(probed), 'healthy');
  await runSetup(host.context(), quiet);
  assert.deepEqual(host.ran, []);
});

describe('a host whose processes were all killed', () => {
  const halfAlive: FakeHostState = {
    ...healthyState,
    incus: 'dead',
    coid: 'absent',
    files: {
      ...healthyState.files,
      '/var/lib/lxcfs': { kind: 'stale' },
      '/var/lib/lxcfs/proc': { kind: 'stale' },
    },
  };

  test('setup restarts killed processes and keeps pool and bridge', async () => {
    const host = new FakeHost(halfAlive);
    const after = await runSetup(host.context(), quiet);
    assert.deepEqual(notOk(after), []);
    assert.equal(host.pools.length, 1);
    assert.equal(host.networks.length, 1);
    const steps = host.ran.map((line) => line.replace(/ --(group|timeout) .*?(?= &|$)/, ''));
    assert.deepEqual(steps, [
      'umount -l /var/lib/lxcfs',
      'mkdir -p /var/lib/lxcfs',
      'lxcfs /var/lib/lxcfs &',
      'mkdir -p /var/log/incus /var/lib/incus',
      '/usr/libexec/incus/incusd &',
      'prlimit --pid 7 --nofile=1048576:1048576 --nproc=unlimited:unlimited',
      '/usr/libexec/incus/incusd waitready',
      '/usr/local/lib/coi/current/bin/coi daemon stop',
      '/usr/local/lib/coi/current/bin/coi daemon start',
    ]);
  });

  test('with systemd setup starts the services instead', async () => {
    const host = new FakeHost({
      ...halfAlive,
      files: {
        ...halfAlive.files,
        '/run/systemd/system': { kind: 'directory' },
      },
    });
    assert.deepEqual(notOk(await runSetup(host.context(), quiet)), []);
    assert.ok(host.ran.includes('systemctl enable --now incus.socket'));
    assert.ok(host.ran.includes('systemctl restart coid.service'));
    assert.ok(!host.ran.some((line) => line.endsWith('&')), 'nothing runs outside systemd');
  });

  test('setup does not start a second daemon next to a slow one', async () => {
    const host = new FakeHost(halfAlive);
    host.processes = async () => [{ pid: 9, name: 'incusd' }];
    await runSetup(host.context(), quiet).catch(() => {
      // It never becomes ready in this test.
    });
    assert.ok(!host.ran.some((line) => line.includes('/incusd') && line.endsWith('&')));
  });

  test('setup starts a new daemon after one that is shutting down', async () => {
    const host = new FakeHost(halfAlive);
    let looks = 0;
    host.processes = async () => {
      looks += 1;
      return looks < 3 ? [{ pid: 9, name: 'incusd' }] : [];
    };
    assert.deepEqual(notOk(await runSetup(host.context(), quiet)), []);
    const started = host.ran.filter((line) => line.includes('/incusd') && line.endsWith('&'));
    assert.equal(started.length, 1);
  });

  test('leftover children of a dead daemon do not count as a daemon', async () => {
    const host = new FakeHost(halfAlive);
    const left = ['[lxc monitor] /var/lib/incus/containers a', '/opt/incusd\0forkproxy\0--\0'];
    left.forEach((text, pid) => {
      host.files.set(`/proc/${pid}/cmdline`, text);
    });
    host.processes = async () => left.map((_, pid) => ({ pid, name: 'incusd' }));
    await runSetup(host.context(), quiet);
    assert.ok(host.ran.some((line) => line.includes('/incusd') && line.endsWith('&')));
  });

  test('a bridge whose DHCP server died is brought up again', async () => {
    const host = new FakeHost({
      ...healthyState,
      files: { ...healthyState.files, '/var/lib/incus/networks/coibr0/dnsmasq.pid': 'pid: 4242\n' },
    });
    assert.deepEqual(await plansOf(host), ['network_bridge']);
    await runSetup(host.context(), quiet);
    assert.deepEqual(host.ran, ['update network coibr0']);
  });
});

describe('an existing Incus of another origin', () => {
  const foreign: FakeHostState = {
    ...healthyState,
    files: {
      ...healthyState.files,
      '/usr/libexec/incus/incusd': { kind: 'missing' },
      '/opt/incus/bin/incusd': { kind: 'file' },
    },
    pools: [pool('small', 'btrfs'), pool('tank', 'zfs')],
    profile: {
      name: 'default',
      description: '',
      config: {},
      devices: { root: { type: 'disk', path: '/', pool: 'tank' } },
      used_by: [],
    },
    networks: [bridge('incusbr0', { 'ipv4.address': '10.77.0.1/24', 'ipv4.nat': 'true' })],
    routes:
      'default via 10.78.0.1 dev eth0\n10.78.0.0/16 dev eth0\n10.79.1.0/24 dev wg0 table 51820\n',
  };

  test('setup keeps existing pool, profile and network, and adds only its own bridge', async () => {
    const host = new FakeHost(foreign);
    const after = await runSetup(host.context(), quiet);
    assert.deepEqual(notOk(after), []);
    assert.deepEqual(host.ran, ['network coibr0 10.80.0.1/22']);
  });

  test('setup keeps a default profile without a disk if the pool is not its own', async () => {
    const host = new FakeHost({ ...foreign, profile: untouchedProfile });
    assert.deepEqual(notOk(await runSetup(host.context(), quiet)), []);
    assert.deepEqual(host.profile?.devices, {});
  });

  test("setup checks the default profile's pool, not the first one", async () => {
    const probed = await runChecks(checks, new FakeHost(foreign).context());
    assert.equal(
      probed.find(({ check }) => check.id === 'incus_storage_pools')?.finding.details?.['pool'],
      'tank',
    );
  });
});
