// Removal of directories of killed builds from a directory that every account can write.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeOwnDirectories } from './own-directories.ts';

const own = process.getuid?.() ?? 0;
const ofDead = (name: string) => /^coi-build-99999\d-/.test(name);

test("this user's directory of a dead build is removed; links, files and directories of others or of live builds stay", async () => {
  const directory = mkdtempSync(join(tmpdir(), 'coi-unit-sweep-'));
  try {
    const [temporary, mine] = [join(directory, 'tmp'), join(directory, 'mine')];
    for (const name of ['tmp/coi-build-999999-a/deep', 'tmp/coi-build-1-b', 'tmp/other', 'mine'])
      mkdirSync(join(directory, name), { recursive: true });
    mkdirSync(join(mine, 'work'));
    // Links planted by another account: to the user's directory, and to nothing.
    symlinkSync(mine, join(temporary, 'coi-build-999999-planted'));
    symlinkSync(mine, join(temporary, 'coi-build-999999-a/deep/planted'));
    symlinkSync(join(directory, 'none'), join(temporary, 'coi-build-999998-nothing'));
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
    await removeOwnDirectories(join(directory, 'none'), own, ofDead);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
