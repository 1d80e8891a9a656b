// coid is killed at any moment of a start: existing containers are managed by the next coid, and nothing else is left behind.
import assert from 'node:assert/strict';
import { watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { untilUnmounted } from '../bed/mounts.ts';
import { untilEntryGone } from '../incus/coid-bed.ts';
import { inventory } from '../security/protect-bed.ts';

/** Objects that appear during a reservation, in this order; the container comes last. */
const moments: Readonly<Record<string, (bed: Bed) => Promise<void>>> = {
  'the reservation is written down': ({ coid }) => entryIn(join(coid.runDir, 'leases')),
  'the guard of the workspace is written down': ({ coid }) =>
    entryIn(join(coid.stateDir, 'protect')),
  'mounts are made': ({ coid }) => entryIn(join(coid.runDir, 'mounts')),
  'the container is made': (bed) => event(bed, 'instance-created'),
  'the container is started': (bed) => event(bed, 'instance-started'),
};

test('killing coid during a start orphans nothing, and live sessions can be ended', {
  timeout: 180_000,
}, async () => {
  await using bed = await makeBed({ git: true, coidEnv: { COI_LEASE_MS: '700' } });
  const { coid } = bed;
  const [leases, records] = [join(coid.runDir, 'leases'), join(coid.stateDir, 'protect')];
  const before = await inventory(bed.workspace.path);
  let outlived = 0;
  for (const [moment, comes] of Object.entries(moments)) {
    const pid = (await coid.status())?.pid;
    assert.ok(pid, moment);
    const struck = comes(bed).then(() => process.kill(pid, 'SIGKILL'));
    const { status, stderr } = await bed.coi(['shell', '--image', bed.image, '--background']);
    await struck;
    const reserved = await readdir(leases);
    const [name] = await bed.instances();
    assert.equal(status === 0, name !== undefined, `${moment}: ${status} ${stderr}`);
    if (name === undefined) assert.match(stderr, /coid/, moment);
    await coid.start();
    const listed = await bed.coi(['list']);
    assert.equal(listed.status, 0, `${moment}: ${listed.stderr}`);
    if (name !== undefined) {
      outlived += 1;
      assert.match(listed.stdout, new RegExp(name), moment);
      const killed = await bed.coi(['kill', name]);
      assert.equal(killed.status, 0, `${moment}: ${killed.stderr}`);
    }
    // A reservation without a container cannot be killed; it expires.
    for (const file of reserved) await untilEntryGone(leases, file);
    await untilUnmounted(coid.runDir);
    for (const file of await readdir(records)) await untilEntryGone(records, file);
    assert.deepEqual(await bed.instances(), [], moment);
    assert.deepEqual(await inventory(bed.workspace.path), before, moment);
  }
  assert.ok(outlived > 0 && outlived < Object.keys(moments).length, `${outlived} came to be`);
});

test('a container created and deleted between two looks of coid releases its reservation at once', {
  timeout: 120_000,
}, async () => {
  await using bed = await makeBed();
  const { coid } = bed;
  const pid = (await coid.status())?.pid;
  assert.ok(pid);
  const made = event(bed, 'instance-created').then(() => process.kill(pid, 'SIGSTOP'));
  try {
    const started = bed.startCoi(['shell', '--image', bed.image, '--background']);
    const running = event(bed, 'instance-started');
    await made;
    const deleted = event(bed, 'instance-deleted');
    await running;
    const [name = ''] = await bed.instances();
    await (await bed.incus.changeState(name, { action: 'stop', force: true })).wait();
    await (await bed.incus.deleteInstance(name)).wait();
    await deleted;
    process.kill(pid, 'SIGCONT');
    await started.result;
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await untilUnmounted(coid.runDir);
  assert.equal((await coid.status())?.leases, 0);
});

/** Resolves when a directory has a new entry. */
function entryIn(directory: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watch(directory, () => {
      watcher.close();
      resolve();
    });
    watcher.on('error', reject);
  });
}

async function event({ incus, prefix }: Bed, action: string): Promise<void> {
  using events = {
    stream: incus.events(['lifecycle']),
    [Symbol.dispose]: () => events.stream.close(),
  };
  for await (const one of events.stream) {
    if (one.type !== 'lifecycle' || one.metadata.action !== action) continue;
    if (one.metadata.source.includes(`/${prefix}`)) return;
  }
}
