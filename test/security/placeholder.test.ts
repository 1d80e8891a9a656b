// Goal: a placeholder that cannot be made leaves neither half of itself nor an open descriptor in coid.
// Method: as root, in a file system that has no room left for a byte.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Below } from '../../src/host/fs/beneath.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';

test('on a full disk a placeholder is refused, and nothing of it stays; with room it is made', async () => {
  const libc = await loadLibc();
  const place = await mkdtemp('/tmp/coit-placeholder-');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', place]);
  try {
    using below = new Below(libc, openSync(place, 'r'));
    const make = (path: string) =>
      below.make(path, { kind: 'file', content: '.\n' }, { uid: 1003, gid: 1003 });
    await writeFile(join(place, 'full'), Buffer.alloc(4096));
    const before = await readdir('/proc/self/fd');
    for (let round = 0; round < 10; round += 1)
      assert.throws(() => make('commondir'), { code: 'ENOSPC' });
    assert.deepEqual(await readdir(place), ['full']);
    assert.equal((await readdir('/proc/self/fd')).length, before.length);
    await rm(join(place, 'full'));
    make('commondir');
    assert.deepEqual(await readdir(place), ['commondir']);
    assert.throws(() => make('commondir'), { code: 'EEXIST' });
    assert.deepEqual(await readdir(place), ['commondir'], 'what was there before stays');
  } finally {
    execFileSync('umount', [place]);
    await rm(place, { recursive: true });
  }
});
