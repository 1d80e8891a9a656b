import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isUnusable, StoreFixture } from '../../../test/bed/store-fixture.ts';

const path = '.claude/coi/plugin.js';
const ownFiles = [{ path, text: 'ours\n' }];

test("each start renews coi's own files, whatever the session has put in their place", () => {
  using fixture = new StoreFixture();
  const directory = join(fixture.store, '.claude/coi');
  const file = join(fixture.store, path);
  fixture.prepare('new', { ownFiles });
  assert.equal(fixture.stored(path), 'ours\n');
  const precious = join(fixture.home, 'precious');
  mkdirSync(precious);
  writeFileSync(join(precious, 'plugin.js'), 'mine');
  for (const replace of [
    () => writeFileSync(file, 'theirs'),
    () => {
      rmSync(file);
      symlinkSync(join(precious, 'plugin.js'), file);
    },
    () => {
      rmSync(directory, { recursive: true });
      symlinkSync(precious, directory);
    },
    () => {
      rmSync(directory, { recursive: true });
      writeFileSync(directory, '');
    },
    () => rmSync(directory, { recursive: true }),
  ]) {
    replace();
    fixture.prepare('resume', { ownFiles });
    assert.equal(fixture.stored(path), 'ours\n');
  }
  assert.equal(readFileSync(join(precious, 'plugin.js'), 'utf8'), 'mine');
});

test('a directory in place of such a file is not removed', () => {
  using fixture = new StoreFixture();
  mkdirSync(join(fixture.store, path), { recursive: true });
  assert.throws(() => fixture.prepare('resume', { ownFiles }), isUnusable);
});
