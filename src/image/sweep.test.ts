// Directories of killed builds, in a place where every account can write.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sweepDirectories } from './sweep.ts';

const own = process.getuid?.() ?? 0;
const onlyOneLives = (pid: number) => pid === 1;

test('a dead build’s directory of this user goes; links, files, those of others and of the living stay', async () => {
  const place = mkdtempSync(join(tmpdir(), 'coi-unit-sweep-'));
  try {
    const [temporary, mine] = [join(place, 'tmp'), join(place, 'mine')];
    for (const name of ['tmp/coi-build-999999-a/deep', 'tmp/coi-build-1-b', 'tmp/other', 'mine'])
      mkdirSync(join(place, name), { recursive: true });
    mkdirSync(join(mine, 'work'));
    // Planted by another account: to what is the user's, and to nothing.
    symlinkSync(mine, join(temporary, 'coi-build-999999-planted'));
    symlinkSync(mine, join(temporary, 'coi-build-999999-a/deep/planted'));
    symlinkSync(join(place, 'none'), join(temporary, 'coi-build-999998-nothing'));
    await sweepDirectories(temporary, own + 1, onlyOneLives);
    assert.ok(existsSync(join(temporary, 'coi-build-999999-a')));
    await sweepDirectories(temporary, own, onlyOneLives);
    assert.deepEqual(readdirSync(temporary).sort(), [
      'coi-build-1-b',
      'coi-build-999998-nothing',
      'coi-build-999999-planted',
      'other',
    ]);
    assert.ok(existsSync(join(mine, 'work')));
    await sweepDirectories(join(place, 'none'), own, onlyOneLives);
  } finally {
    rmSync(place, { recursive: true });
  }
});
