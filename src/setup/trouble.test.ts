// What can go wrong while a host is made ready.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { coidStatus, type FakeHostState, gib, wellState } from '../../test/fakes/host-states.ts';
import { FakeHost } from '../../test/fakes/machine.ts';
import { checks } from './checks.ts';
import { type Probed, probeAll } from './report.ts';
import { mend } from './setup.ts';

const elapsedMs = () => 0;
const quiet = { checks, tell: () => {}, elapsedMs };
const notOk = (probed: readonly Probed[]) =>
  probed
    .filter(({ finding }) => finding.status !== 'ok')
    .map(({ check, finding }) => `${check.id}: ${finding.message}`);

describe('packages', () => {
  test('are tried again after mending apt and fetching its lists', async () => {
    const host = new FakeHost({ aptFailures: 1 });
    await mend(host.ground(), quiet);
    const words = host.ran
      .filter((line) => /^(apt-get|dpkg)/.test(line))
      .map((line) => line.replace(/ -[oq] ?\S*| -y/g, ''));
    assert.equal(words.length, 5);
    assert.match(words[1] ?? '', /^dpkg .*--configure -a$/);
    assert.match(words[3] ?? '', /update$/);
  });

  test('that cannot be installed stop setup with the words of apt', async () => {
    const host = new FakeHost({ aptFailures: 9 });
    await assert.rejects(mend(host.ground(), quiet), {
      code: 'setup-failed',
      message: /something is wrong/,
    });
    assert.ok(!host.ran.includes('install coi'), 'nothing is built on what is missing');
  });

  test('are a matter for people where there is no apt', async () => {
    const host = new FakeHost({ files: { '/usr/bin/apt-get': { kind: 'missing' } } });
    const found = (await probeAll(checks, host.ground())).find(
      ({ check }) => check.id === 'packages',
    );
    assert.equal(found?.finding.plan, undefined);
    assert.ok(found?.finding.hint);
  });
});

describe('a pool on a host that is no good for btrfs', () => {
  const made = async (state: FakeHostState) => {
    const host = new FakeHost(state);
    const probed = await probeAll(checks, host.ground());
    const plan = probed.find(({ check }) => check.id === 'incus_storage_pools')?.finding.plan ?? '';
    const after = await mend(host.ground(), quiet);
    return { plan, driver: host.pools[0]?.driver, notOk: notOk(after) };
  };

  test('becomes directories, said loudly before and after', async () => {
    const { plan, driver, notOk } = await made({
      files: { '/dev/loop-control': { kind: 'missing' } },
    });
    assert.match(plan, /SLOW/);
    assert.equal(driver, 'dir');
    assert.ok(notOk.some((line) => /CANNOT COPY ON WRITE/.test(line)));
  });

  test('is not made as directories because btrfs failed for another reason', async () => {
    const ground = new FakeHost().ground();
    const broken = async () => ({
      ...(await ground.incus()),
      createStoragePool: () => Promise.reject(new Error('mkfs.btrfs: device is busy')),
    });
    await assert.rejects(mend({ ...ground, incus: broken }, quiet), {
      code: 'setup-failed',
      message: /device is busy/,
    });
  });

  test('is not made where nothing fits', async () => {
    const { driver, notOk } = await made({ freeBytes: 9 * gib });
    assert.equal(driver, undefined);
    assert.ok(notOk.some((line) => /only 9\.0 GiB are free/.test(line)));
  });
});

describe('coid', () => {
  const restarted = [
    '/usr/local/lib/coi/current/bin/coi daemon stop',
    '/usr/local/lib/coi/current/bin/coi daemon start',
  ];

  test('of another version is restarted', async () => {
    const host = new FakeHost({ ...wellState, coid: { version: '1.2.2' } });
    await mend(host.ground(), quiet);
    assert.deepEqual(host.ran, restarted);
  });

  test('that speaks another protocol is restarted', async () => {
    const host = new FakeHost({ ...wellState, coid: 'absent' });
    const ground = host.ground();
    const old = {
      ...ground,
      coidStatus: async () => {
        if (host.coidStatus) return host.coidStatus;
        throw Object.assign(new Error('speaks 0'), { code: 'coid-version' });
      },
    };
    await mend(old, quiet);
    assert.deepEqual(host.ran, restarted);
  });

  test('of the same version but another build is restarted when the program changed', async () => {
    const host = new FakeHost({
      ...wellState,
      install: {
        wanted: 'aaaaaaaaaaaaaaaa',
        installed: 'bbbbbbbbbbbbbbbb',
        link: 'ours',
        man: 'ours',
      },
    });
    host.linkTarget = async () => '/usr/local/lib/coi/bbbbbbbbbbbbbbbb/bin/node';
    await mend(host.ground(), quiet);
    assert.deepEqual(host.ran, ['install coi', ...restarted]);
  });

  test('that waits for Incus is a warning', async () => {
    const probed = await probeAll(
      checks,
      new FakeHost({ ...wellState, coid: coidStatus({ incus: 'waiting' }) }).ground(),
    );
    assert.deepEqual(notOk(probed), ['coid: version 1.2.3, waiting for Incus']);
  });
});

test('an ordinary user sees what is not for them to see as a warning, not as a failure of the host', async () => {
  const host = new FakeHost({
    ...wellState,
    incus: 'forbidden',
    caller: { name: 'bob', uid: 1001 },
    groups: [1001],
  });
  const probed = await probeAll(checks, host.ground());
  const status = (id: string) => probed.find(({ check }) => check.id === id)?.finding.status;
  assert.equal(status('incus_storage_pools'), 'warning');
  assert.equal(status('permissions'), 'failed');
});

test('a probe that breaks is a failed check, and the others are told all the same', async () => {
  const broken = checks.map((check) =>
    check.id === 'disk_space' ? { ...check, probe: () => Promise.reject(new Error('EIO')) } : check,
  );
  const probed = await probeAll(broken, new FakeHost(wellState).ground());
  assert.deepEqual(notOk(probed), ['disk_space: could not be checked: EIO']);
  assert.equal(probed.length, checks.length);
});
