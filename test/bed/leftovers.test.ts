import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { mustRun } from './command.ts';
import { openRealIncus } from './incus.ts';
import { leftovers, takeInventory } from './leftovers.ts';
import { newPrefix } from './prefix.ts';
import { sweepCoid, sweepInstances } from './sweep.ts';

const image = process.env['COI_TEST_IMAGE'] ?? 'coi-test';

test('a leftover instance, interface, mount and file are reported, and the sweep removes them', {
  timeout: 60_000,
}, async () => {
  const [incus, prefix] = [await openRealIncus(), newPrefix()];
  const home = await mkdtemp('/tmp/coit-home-');
  const runDir = `/run/coi-${prefix}bed`;
  const scope = { prefix, runDir, directories: [home], ignore: /\/ignored$/ };
  await mkdir(`${runDir}/mounts/some where`, { recursive: true });
  try {
    const before = await takeInventory(incus, scope);
    const name = `${prefix}left`;
    const created = await incus.createInstance({
      name,
      type: 'container',
      start: true,
      source: { type: 'image', alias: image },
      devices: { eth0: { type: 'nic', name: 'eth0', nictype: 'p2p' } },
    });
    await created.wait();
    await writeFile(`${home}/forgotten`, '');
    await writeFile(`${home}/ignored`, '');
    await mustRun(['mount', '-t', 'tmpfs', 'none', `${runDir}/mounts/some where`]);
    const found = leftovers(before, await takeInventory(incus, scope));
    const kinds = found.filter((line) => !line.includes('interface'));
    assert.deepEqual(kinds, [
      `+ file ${home}/forgotten`,
      `+ instance ${name} Running`,
      `+ mount ${runDir}/mounts/some where`,
    ]);
    assert.ok(
      found.some((line) => line.startsWith('+ interface veth')),
      found.join('\n'),
    );

    assert.deepEqual(await sweepInstances(incus, prefix), [name]);
    await sweepCoid(runDir, `/var/lib/coi-${prefix}bed`);
    await rm(`${home}/forgotten`);
    assert.deepEqual(leftovers(before, await takeInventory(incus, scope)), []);
  } finally {
    await sweepInstances(incus, prefix);
    await rm(home, { recursive: true });
    incus.close();
  }
});

test("a sweep refuses names that are not a test's", { timeout: 60_000 }, async () => {
  const incus = await openRealIncus();
  await assert.rejects(sweepInstances(incus, 'coi-'), /not the prefix of a test/);
  await assert.rejects(sweepCoid('/run/coi', '/var/lib/coi'), /not a directory of a test/);
  await assert.rejects(
    sweepCoid('/run/coi-a/../../tmp', '/var/lib/coi-a'),
    /not a directory of a test/,
  );
  incus.close();
});
