// Directories of killed builds in a place where every account can write.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeOwnDirectories } from './own-directories.ts';

const own = process.getuid?.() ?? 0;
const ofDead = (name: string) => /^coi-build-99999\d-/.test(name);

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
    await removeOwnDirectories(temporary, own + 1, ofDead);
    assert.ok(existsSync(join(temporary, 'coi-build-999999-a')));
    await removeOwnDirectories(temporary, own, ofDead);
    assert.deepEqual(readdirSync(temporary).sort(), [
      'coi-build-1-b',
      'coi-build-999998-nothing',
      'coi-build-999999-planted',
      'other',
    ]);
    assert.ok(existsSync(join(mine, 'work')));
    await removeOwnDirectories(join(place, 'none'), own, ofDead);
  } finally {
    rmSync(place, { recursive: true });
  }
});
