// --mount of a persistent container still applies after a restart, and in its forks.
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Bed, makeBed } from '../bed/bed.ts';
import { detach, powerOff, runInside, startConversation } from './conversation.ts';

const timeout = 240_000;

function directory(bed: Bed, name: string): string {
  const path = join(bed.user.home, name);
  mkdirSync(path);
  writeFileSync(join(path, 'file'), name);
  for (const one of [path, join(path, 'file')]) chownSync(one, bed.user.uid, bed.user.gid);
  return path;
}

test('a persistent container and its forks keep the mounts of the last start, unless their targets changed', {
  timeout,
}, async () => {
  await using bed = await makeBed();
  const [data, other] = ['data', 'other'].map((name) => directory(bed, name));
  const read = async (name: string, path: string) => {
    const { stdout } = await bed.incus.execCaptured(name, { command: ['cat', path] });
    return stdout.toString();
  };
  const first = await startConversation(bed, ['--persistent', '--mount', `${data}:/data:ro`]);
  const [name = ''] = await bed.instances();
  assert.equal(await read(name, '/data/file'), 'data');
  await powerOff(first);

  const second = await startConversation(bed, ['--slot', '1']);
  assert.equal(await read(name, '/data/file'), 'data');
  assert.match(await runInside(bed, name, 'cat', '/proc/mounts'), / \/data \S+ ro/);
  const forked = await bed.coi(['fork', '--background', name]);
  assert.equal(forked.status, 0, forked.stderr);
  const fork = (await bed.instances()).find((one) => one !== name) ?? '';
  assert.equal(await read(fork, '/data/file'), 'data');
  assert.equal((await bed.coi(['kill', fork])).status, 0);
  await powerOff(second);

  // Other directories take their place.
  const third = await startConversation(bed, ['--slot', '1', '--mount', `${other}:/other`]);
  assert.deepEqual(
    [await read(name, '/data/file'), await read(name, '/other/file')],
    ['', 'other'],
  );
  await powerOff(third);

  // As an agent of another workspace could do with its directory.
  renameSync(join(bed.user.home, 'other'), join(bed.user.home, 'moved'));
  symlinkSync(join(bed.user.home, 'data'), join(bed.user.home, 'other'));
  const fourth = await startConversation(bed, ['--slot', '1']);
  assert.match(fourth.output(), /skipping the earlier --mount .*other.*:\/other/);
  assert.equal(await read(name, '/other/file'), '');
  await detach(fourth);
});

test('a persistent container of coi run keeps its mounts too', { timeout }, async () => {
  await using bed = await makeBed();
  const [data, other] = ['data', 'other'].map((name) => directory(bed, name));
  const run = async (...flags: string[]) => {
    const base = ['run', '--image', bed.image, '--persistent', ...flags];
    const result = await bed.coi([...base, '--', 'sh', '-c', 'cat /data/file /other/file; true']);
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };
  assert.equal(await run('--mount', `${data}:/data:ro`), 'data');
  assert.equal(await run(), 'data');
  assert.equal(await run('--mount', `${other}:/other`), 'other');
  assert.equal(await run(), 'other');
  assert.equal((await bed.instances()).length, 1);
});
