import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  bridge,
  type FakeHostState,
  pool,
  untouchedProfile,
  wellState,
} from '../../test/fakes/host-states.ts';
import { FakeHost } from '../../test/fakes/machine.ts';
import { checks } from './checks.ts';
import { type Probed, probeAll, verdict } from './report.ts';
import { mend, planned, type SetupEvent } from './setup.ts';

const elapsedMs = () => 0;
const quiet = { checks, tell: () => {}, elapsedMs };
const ids = (probed: readonly Probed[]) => probed.map(({ check }) => check.id);
const notOk = (probed: readonly Probed[]) =>
  probed
    .filter(({ finding }) => finding.status !== 'ok')
    .map(({ check, finding }) => `${check.id}: ${finding.message}`);

async function plansOf(host: FakeHost): Promise<string[]> {
  return ids(planned(await probeAll(checks, host.ground())));
}

describe('a bare Debian 12 without systemd', () => {
  test('lacks nearly everything, and setup says what it will do', async () => {
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

  test('is ready after one setup, but for the image', async () => {
    const host = new FakeHost();
    const after = await mend(host.ground(), quiet);
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

  test('gets Incus from the backports of its own mirror, with the same keys', async () => {
    const host = new FakeHost();
    await mend(host.ground(), quiet);
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

  test('raises the limits of the kernel that all sessions share, and keeps them for later boots', async () => {
    const host = new FakeHost();
    await mend(host.ground(), quiet);
    const path = '/proc/sys/fs/inotify/max_user_instances';
    assert.equal(await host.readText(path), '1048576');
    const kept = (await host.readText('/etc/sysctl.d/61-coi-limits.conf')) ?? '';
    assert.match(kept, /^fs\.inotify\.max_user_instances = 1048576$/m);
    assert.doesNotMatch(kept, /max_map_count/, 'a limit that is high enough stays what it is');
  });

  test('leaves limits that may not be changed, as in a container, and says so', async () => {
    const host = new FakeHost();
    const denied = Object.assign(new Error('read-only'), { code: 'EROFS' });
    const { overwrite } = host;
    host.overwrite = (path, text) =>
      path.includes('inotify') ? Promise.reject(denied) : overwrite.call(host, path, text);
    const after = await mend(host.ground(), quiet);
    assert.deepEqual(notOk(after), [
      'kernel_limits: too low for many sessions: fs.inotify.max_user_instances is 128',
      'image: coi-default is not built yet',
    ]);
  });

  test('a second setup finds nothing to do', async () => {
    const host = new FakeHost();
    await mend(host.ground(), quiet);
    host.ran.length = 0;
    assert.deepEqual(await plansOf(host), []);
    await mend(host.ground(), quiet);
    assert.deepEqual(host.ran, []);
  });

  test('an ordinary user that called sudo becomes a member of the group', async () => {
    const host = new FakeHost({ caller: { name: 'ann', uid: 1000 } });
    await mend(host.ground(), quiet);
    assert.match((await host.readText('/etc/group')) ?? '', /^incus-admin:.*ann$/m);
  });
});

test('wherever setup is interrupted, the next one ends with a ready host', async () => {
  const steps = planned(await probeAll(checks, new FakeHost().ground())).length;
  for (let at = 0; at < steps; at++) {
    for (const when of ['before', 'after'] as const) {
      const host = new FakeHost();
      const stop = new AbortController();
      let started = 0;
      const tell = (event: SetupEvent) => {
        const due = event.kind === (when === 'before' ? 'started' : 'ended');
        if (due && started++ === at) stop.abort(new Error('interrupted'));
      };
      await mend(host.ground(stop.signal), { checks, tell, elapsedMs }).catch(() => {
        // That it was interrupted is the point.
      });
      const after = await mend(host.ground(), quiet);
      assert.deepEqual(notOk(after), ['image: coi-default is not built yet'], `${when} step ${at}`);
    }
  }
});

test('a host on which all is well is left alone', async () => {
  const host = new FakeHost(wellState);
  const probed = await probeAll(checks, host.ground());
  assert.deepEqual(notOk(probed), []);
  assert.equal(verdict(probed), 'healthy');
  await mend(host.ground(), quiet);
  assert.deepEqual(host.ran, []);
});

describe('a host whose processes were all ended', () => {
  const halfAlive: FakeHostState = {
    ...wellState,
    incus: 'dead',
    coid: 'absent',
    files: {
      ...wellState.files,
      '/var/lib/lxcfs': { kind: 'stale' },
      '/var/lib/lxcfs/proc': { kind: 'stale' },
    },
  };

  test('gets them again, and keeps its pool and its bridge', async () => {
    const host = new FakeHost(halfAlive);
    const after = await mend(host.ground(), quiet);
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

  test('with systemd its services are started instead', async () => {
    const host = new FakeHost({
      ...halfAlive,
      files: {
        ...halfAlive.files,
        '/run/systemd/system': { kind: 'directory' },
      },
    });
    assert.deepEqual(notOk(await mend(host.ground(), quiet)), []);
    assert.ok(host.ran.includes('systemctl enable --now incus.socket'));
    assert.ok(host.ran.includes('systemctl restart coid.service'));
    assert.ok(!host.ran.some((line) => line.endsWith('&')), 'nothing runs beside systemd');
  });

  test('a daemon that is only slow to start does not get a rival', async () => {
    const host = new FakeHost(halfAlive);
    host.processes = async () => [{ pid: 9, name: 'incusd' }];
    await mend(host.ground(), quiet).catch(() => {
      // It never becomes ready in this test.
    });
    assert.ok(!host.ran.some((line) => line.includes('/incusd') && line.endsWith('&')));
  });

  test('a daemon that is just ending gets a successor', async () => {
    const host = new FakeHost(halfAlive);
    let looks = 0;
    host.processes = async () => {
      looks += 1;
      return looks < 3 ? [{ pid: 9, name: 'incusd' }] : [];
    };
    assert.deepEqual(notOk(await mend(host.ground(), quiet)), []);
    const started = host.ran.filter((line) => line.includes('/incusd') && line.endsWith('&'));
    assert.equal(started.length, 1);
  });

  test('what a daemon that died has left running under its name is no daemon', async () => {
    const host = new FakeHost(halfAlive);
    const left = ['[lxc monitor] /var/lib/incus/containers a', '/opt/incusd\0forkproxy\0--\0'];
    left.forEach((text, pid) => {
      host.files.set(`/proc/${pid}/cmdline`, text);
    });
    host.processes = async () => left.map((_, pid) => ({ pid, name: 'incusd' }));
    await mend(host.ground(), quiet);
    assert.ok(host.ran.some((line) => line.includes('/incusd') && line.endsWith('&')));
  });

  test('a bridge whose DHCP server died comes up again', async () => {
    const host = new FakeHost({
      ...wellState,
      files: { ...wellState.files, '/var/lib/incus/networks/coibr0/dnsmasq.pid': 'pid: 4242\n' },
    });
    assert.deepEqual(await plansOf(host), ['network_bridge']);
    await mend(host.ground(), quiet);
    assert.deepEqual(host.ran, ['update network coibr0']);
  });
});

describe('an Incus that somebody else set up', () => {
  const foreign: FakeHostState = {
    ...wellState,
    files: {
      ...wellState.files,
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

  test('keeps pool, profile and network, and only gets our bridge, elsewhere', async () => {
    const host = new FakeHost(foreign);
    const after = await mend(host.ground(), quiet);
    assert.deepEqual(notOk(after), []);
    assert.deepEqual(host.ran, ['network coibr0 10.80.0.1/22']);
  });

  test('keeps a default profile without a disk where the pool is not ours', async () => {
    const host = new FakeHost({ ...foreign, profile: untouchedProfile });
    assert.deepEqual(notOk(await mend(host.ground(), quiet)), []);
    assert.deepEqual(host.profile?.devices, {});
  });

  test('has the pool of its default profile judged, not the first one', async () => {
    const probed = await probeAll(checks, new FakeHost(foreign).ground());
    assert.equal(
      probed.find(({ check }) => check.id === 'incus_storage_pools')?.finding.details?.['pool'],
      'tank',
    );
  });
});
