// Goal: coid finishes ended sessions and harms no others, whatever happens meanwhile.
// Method: real containers; Incus events tell when something has happened.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { mustRun, runCommand } from '../bed/command.ts';
import { stopByForce } from '../bed/incus.ts';
import { mountPointsUnder } from '../bed/mounts.ts';
import { coiPath } from '../bed/program.ts';
import { type CoidBed, makeCoidBed } from './coid-bed.ts';

const limit = { timeout: 180_000 };
/** Reconciles every few milliseconds, so that one-in-a-thousand races show up here. */
const tight = { COI_RECONCILE_EVERY_MS: '20' };

/** COI_TEST_STARTS=50 takes a minute and a half more. */
const starts = Number(process.env['COI_TEST_STARTS'] ?? 10);
const atOnce = 5;

/** As root, once systemd in the guest accepts commands, some time after the container runs. */
async function inGuest(
  bed: CoidBed,
  container: string,
  verb: 'poweroff' | 'reboot',
): Promise<void> {
  // The guest ends at once, and with it this exec.
  const script = `trap '' TERM; until systemctl ${verb} --no-block; do sleep 0.05; done`;
  assert.equal((await bed.sh(container, script, 'root')).status, 0);
}

async function powerOff(bed: CoidBed, container: string): Promise<void> {
  await inGuest(bed, container, 'poweroff');
  await bed.lifecycle.until('instance-shutdown', container);
}

/** Like a host after a power failure: no mounts and an empty run directory. */
async function loseMounts(bed: CoidBed): Promise<void> {
  const mounts = join(bed.daemon.runDir, 'mounts');
  for (const point of await mountPointsUnder(mounts)) await mustRun(['umount', point]);
  for (const id of await bed.mountIds())
    await mustRun(['rm', '-r', '--one-file-system', join(mounts, id)]);
  await rmdir(mounts);
}

test(`${starts} starts under a coid that reconciles constantly all succeed and are marked live`, {
  timeout: 600_000,
}, async () => {
  await using bed = await makeCoidBed(tight);
  const ends: Promise<void>[] = [];
  for (let wave = 0; wave * atOnce < starts; wave += 1) {
    const workspace = await bed.directory([1000, 1003, 0][wave % 3] ?? 0);
    const sessions = await Promise.all(
      Array.from({ length: atOnce }, () => bed.session({ workspace })),
    );
    for (const { container, id } of sessions) {
      await bed.lifecycle.until('instance-updated', container);
      const found = await bed.incus.instance(container);
      assert.deepEqual(
        [found?.instance.status, found?.instance.config['user.coi.phase']],
        ['Running', 'live'],
      );
      ends.push(endByForce(bed, container, id));
    }
  }
  await Promise.all(ends);
  assert.equal((await bed.coid.status()).leases, 0);
  assert.deepEqual(await bed.mountIds(), []);
});

/** Stops it by force; coid then deletes it. */
async function endByForce(bed: CoidBed, container: string, id: string): Promise<void> {
  await stopByForce(bed.incus, container);
  await bed.lifecycle.until('instance-deleted', container);
  await bed.untilUnmounted(id);
}

test('a session survives a reboot from inside with the same mounts', limit, async () => {
  await using bed = await makeCoidBed(tight);
  const { container } = await bed.session({ uid: 1003 });
  await bed.lifecycle.until('instance-updated', container);
  await bed.sh(container, 'touch /workspace/before');
  await inGuest(bed, container, 'reboot');
  await bed.lifecycle.until('instance-restarted', container);
  const after = await bed.sh(container, 'ls /workspace && touch /workspace/after');
  assert.deepEqual([after.status, after.stdout.toString()], [0, 'before\n']);
});

test('a session survives a restart from outside', limit, async () => {
  await using bed = await makeCoidBed(tight);
  const { container } = await bed.session();
  await bed.lifecycle.until('instance-updated', container);
  const restart = await bed.incus.changeState(container, { action: 'restart', force: true });
  await restart.wait();
  assert.equal(await bed.status(container), 'Running');
});

test(
  'an ephemeral session that powers off is deleted with its mounts, and the workspace stays',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const workspace = await bed.directory(1003);
    const { container, id } = await bed.session({ workspace });
    await bed.sh(container, 'echo kept > /workspace/file');
    await powerOff(bed, container);
    await bed.lifecycle.until('instance-deleted', container);
    await bed.untilUnmounted(id);
    assert.equal((await runCommand(['cat', join(workspace, 'file')])).stdout, 'kept\n');
  },
);

test(
  'a persistent session that powers off is kept with its mounts, and starts again',
  limit,
  async () => {
    await using bed = await makeCoidBed(tight);
    const { container, id } = await bed.session({ uid: 1003, persistent: true });
    await bed.lifecycle.until('instance-updated', container);
    await bed.sh(container, 'touch /workspace/file');
    await powerOff(bed, container);
    const other = await bed.session();
    await powerOff(bed, other.container);
    await bed.untilUnmounted(other.id);
    assert.equal(await bed.status(container), 'Stopped');
    assert.deepEqual(await bed.mountIds(), [id]);
    const start = { id, startId: randomUUID() };
    assert.equal((await bed.coid.remount(container, start)).length, 1);
    await (await bed.incus.changeState(container, { action: 'start' })).wait();
    assert.equal((await bed.sh(container, 'ls /workspace')).stdout.toString(), 'file\n');
  },
);

test(
  'sessions that ended while coid was dead are finished by the next one; new ones awaiting start are not',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const lived = await bed.session({ uid: 1003 });
    await bed.lifecycle.until('instance-updated', lived.container);
    await bed.daemon.crash();
    await powerOff(bed, lived.container);
    await bed.daemon.start();
    const unstarted = await bed.session({ uid: 1003, start: false });
    assert.equal(await bed.status(lived.container), 'Stopped');
    await bed.lifecycle.until('instance-deleted', lived.container);
    assert.equal(await bed.status(unstarted.container), 'Stopped');
  },
);

test(
  'a killed coid finds running sessions again, and restores missing mounts before it answers',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { container, id, mounts } = await bed.session({ uid: 1003 });
    const reserved = await bed.coid.reserve(bed.request(await bed.directory(1000)));
    await bed.sh(container, 'touch /workspace/file');
    await bed.daemon.crash();
    assert.equal((await bed.sh(container, 'ls /workspace')).stdout.toString(), 'file\n');
    await bed.daemon.start();
    assert.deepEqual((await bed.mountIds()).toSorted(), [id, reserved.id].toSorted());
    assert.equal((await bed.coid.status()).leases, 1);
    const another = await bed.coid.reserve(bed.request(await bed.directory(1000)));
    assert.notEqual(another.nic.address, reserved.nic.address);

    await bed.daemon.crash();
    await loseMounts(bed);
    await rm(join(bed.daemon.runDir, 'coid.sock'));
    await bed.daemon.start();
    assert.ok((await mountPointsUnder(bed.daemon.runDir)).includes(mounts[0]?.hostPath ?? ''));
    await inGuest(bed, container, 'reboot');
    await bed.lifecycle.until('instance-restarted', container);
    const after = await bed.sh(container, 'cd /workspace && ls && touch other && stat -c %u other');
    assert.equal(after.stdout.toString(), 'file\n1000\n');
  },
);

test('an unused reservation expires; one that became a container does not', limit, async () => {
  await using bed = await makeCoidBed({ COI_LEASE_MS: '1500' });
  const used = await bed.session();
  const unused = await bed.coid.reserve(bed.request(await bed.directory(1003)));
  await bed.untilUnmounted(unused.id);
  assert.equal((await bed.coid.status()).leases, 0);
  assert.deepEqual(await bed.mountIds(), [used.id]);
  assert.equal(await bed.status(used.container), 'Running');
});

test(
  'a reservation released while Incus creates its container ends with the container',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    // At a random moment: some rounds hit it before it has checked its mounts.
    for (let round = 0; round < 5; round += 1) {
      const accepted = ({ id }: { id: string }) => bed.coid.release(id);
      const { container, id } = await bed.session({ accepted });
      assert.equal(await bed.status(container), 'Running');
      assert.equal((await bed.sh(container, 'touch /workspace/file')).status, 0);
      await powerOff(bed, container);
      await bed.untilUnmounted(id);
    }
    assert.equal((await bed.coid.status()).leases, 0);
  },
);

test(
  'a clean stop of coid leaves sessions and mounts alone; a second coid is refused',
  limit,
  async () => {
    await using bed = await makeCoidBed();
    const { container, id } = await bed.session({ uid: 1003 });
    const env = { ...process.env, ...bed.daemon.env } as Record<string, string>;
    const second = await runCommand([coiPath(), 'daemon', 'run'], { env });
    assert.equal(second.status, 1);
    assert.match(second.stderr, /already running/);
    await mustRun([coiPath(), 'daemon', 'stop'], { env });
    assert.equal(await bed.daemon.status(), undefined);
    assert.equal(await bed.status(container), 'Running');
    assert.deepEqual(await bed.mountIds(), [id]);
    assert.equal((await bed.sh(container, 'touch /workspace/x')).status, 0);
  },
);

test("coid does not start in a mount namespace other than incusd's", limit, async () => {
  await using bed = await makeCoidBed();
  const env = { ...process.env, ...bed.daemon.env } as Record<string, string>;
  await mustRun([coiPath(), 'daemon', 'stop'], { env });
  const apart = await runCommand(['unshare', '--mount', coiPath(), 'daemon', 'start'], { env });
  assert.equal(apart.status, 1);
  assert.match(apart.stderr, /mount namespace/);
});
