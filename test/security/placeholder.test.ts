// Goal: a placeholder that cannot be made leaves neither a partial file nor an open descriptor in coid.
// Method: as root, in a file system without a free byte.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Beneath } from '../../src/host/fs/beneath.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';

test('on a full disk a placeholder is refused and leaves nothing; with space it is made', async () => {
  const libc = await loadLibc();
  const directory = await mkdtemp('/tmp/coit-placeholder-');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'none', directory]);
  try {
    using below = new Beneath(libc, openSync(directory, 'r'));
    const make = (path: string) =>
      below.make(path, { kind: 'file', content: '.\n' }, { uid: 1003, gid: 1003 });
    await writeFile(join(directory, 'full'), Buffer.alloc(4096));
    const before = await readdir('/proc/self/fd');
    for (let round = 0; round < 10; round += 1)
      assert.throws(() => make('commondir'), { code: 'ENOSPC' });
    assert.deepEqual(await readdir(directory), ['full']);
    assert.equal((await readdir('/proc/self/fd')).length, before.length);
    await rm(join(directory, 'full'));
    make('commondir');
    assert.deepEqual(await readdir(directory), ['commondir']);
    assert.throws(() => make('commondir'), { code: 'EEXIST' });
    assert.deepEqual(await readdir(directory), ['commondir'], 'existing files stay');
  } finally {
    execFileSync('umount', [directory]);
    await rm(directory, { recursive: true });
  }
});
