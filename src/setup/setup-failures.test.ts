// Failures while a host is set up.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { coidStatus, type FakeHostState, gib, healthyState } from '../../test/fakes/host-states.ts';
import { FakeHost } from '../../test/fakes/machine.ts';
import { checks } from './checks.ts';
import { type CheckResult, runChecks } from './report.ts';
import { runSetup } from './setup.ts';

const elapsedMs = () => 0;
const quiet = { checks, onEvent: () => {}, elapsedMs };
const notOk = (probed: readonly CheckResult[]) =>
  probed
    .filter(({ finding }) => finding.status !== 'ok')
    .map(({ check, finding }) => `${check.id}: ${finding.message}`);

describe('packages', () => {
  test('a failed package installation is retried after repairing apt and updating its lists', async () => {
    const host = new FakeHost({ aptFailures: 1 });
    await runSetup(host.context(), quiet);
    const words = host.ran
      .filter((line) => /^(apt-get|dpkg)/.test(line))
      .map((line) => line.replace(/ -[oq] ?\S*| -y/g, ''));
    assert.equal(words.length, 5);
    assert.match(words[1] ?? '', /^dpkg .*--configure -a$/);
    assert.match(words[3] ?? '', /update$/);
  });

  test("a package that cannot be installed stops setup with apt's message", async () => {
    const host = new FakeHost({ aptFailures: 9 });
    await assert.rejects(runSetup(host.context(), quiet), {
      code: 'setup-failed',
      message: /something is wrong/,
    });
    assert.ok(!host.ran.includes('install coi'), 'no later step runs');
  });

  test('without apt packages must be installed manually', async () => {
    const host = new FakeHost({ files: { '/usr/bin/apt-get': { kind: 'missing' } } });
    const found = (await runChecks(checks, host.context())).find(
      ({ check }) => check.id === 'packages',
    );
    assert.equal(found?.finding.plan, undefined);
    assert.ok(found?.finding.hint);
  });
});

describe('a pool on a host without working btrfs', () => {
  const made = async (state: FakeHostState) => {
    const host = new FakeHost(state);
    const probed = await runChecks(checks, host.context());
    const plan = probed.find(({ check }) => check.id === 'incus_storage_pools')?.finding.plan ?? '';
    const after = await runSetup(host.context(), quiet);
    return { plan, driver: host.pools[0]?.driver, notOk: notOk(after) };
  };

  test('the pool falls back to directories, with a warning before and after', async () => {
    const { plan, driver, notOk } = await made({
      files: { '/dev/loop-control': { kind: 'missing' } },
    });
    assert.match(plan, /SLOW/);
    assert.equal(driver, 'dir');
    assert.ok(notOk.some((line) => /CANNOT COPY ON WRITE/.test(line)));
  });

  test('the pool does not fall back to directories if btrfs failed for another reason', async () => {
    const context = new FakeHost().context();
    const broken = async () => ({
      ...(await context.incus()),
      createStoragePool: () => Promise.reject(new Error('mkfs.btrfs: device is busy')),
    });
    await assert.rejects(runSetup({ ...context, incus: broken }, quiet), {
      code: 'setup-failed',
      message: /device is busy/,
    });
  });

  test('the pool is not created without enough space', async () => {
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

  test('a coid of another version is restarted', async () => {
    const host = new FakeHost({ ...healthyState, coid: { version: '1.2.2' } });
    await runSetup(host.context(), quiet);
    assert.deepEqual(host.ran, restarted);
  });

  test('a coid with another protocol is restarted', async () => {
    const host = new FakeHost({ ...healthyState, coid: 'absent' });
    const context = host.context();
    const old = {
      ...context,
      coidStatus: async () => {
        if (host.coidStatus) return host.coidStatus;
        throw Object.assign(new Error('speaks 0'), { code: 'coid-version' });
      },
    };
    await runSetup(old, quiet);
    assert.deepEqual(host.ran, restarted);
  });

  test('a coid of the same version but another build is restarted if the program changed', async () => {
    const host = new FakeHost({
      ...healthyState,
      install: {
        wanted: 'aaaaaaaaaaaaaaaa',
        installed: 'bbbbbbbbbbbbbbbb',
        link: 'ours',
        man: 'ours',
      },
    });
    host.linkTarget = async () => '/usr/local/lib/coi/bbbbbbbbbbbbbbbb/bin/node';
    await runSetup(host.context(), quiet);
    assert.deepEqual(host.ran, ['install coi', ...restarted]);
  });

  test('a coid that waits for Incus is a warning', async () => {
    const probed = await runChecks(
      checks,
      new FakeHost({ ...healthyState, coid: coidStatus({ incus: 'waiting' }) }).context(),
    );
    assert.deepEqual(notOk(probed), ['coid: version 1.2.3, waiting for Incus']);
  });
});

test('checks that an ordinary user cannot run are warnings, not failures', async () => {
  const host = new FakeHost({
    ...healthyState,
    incus: 'forbidden',
    caller: { name: 'bob', uid: 1001 },
    groups: [1001],
  });
  const probed = await runChecks(checks, host.context());
  const status = (id: string) => probed.find(({ check }) => check.id === id)?.finding.status;
  assert.equal(status('incus_storage_pools'), 'warning');
  assert.equal(status('permissions'), 'failed');
});

test('a check that throws is a failed check, and the others are still reported', async () => {
  const broken = checks.map((check) =>
    check.id === 'disk_space' ? { ...check, run: () => Promise.reject(new Error('EIO')) } : check,
  );
  const probed = await runChecks(broken, new FakeHost(healthyState).context());
  assert.deepEqual(notOk(probed), ['disk_space: could not be checked: EIO']);
  assert.equal(probed.length, checks.length);
});
