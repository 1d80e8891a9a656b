import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Directory, hostFiles } from './files.ts';
import { removeTree, shred } from './remove.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coit-remove-'));
  mkdirSync(join(root, 'tree'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function opened(): Directory {
  const directory = hostFiles.open(root);
  assert.ok(directory);
  return directory;
}

test('a tree goes away, and what its links lead to stays', async () => {
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside/file'), 'kept');
  mkdirSync(join(root, 'tree/a/b'), { recursive: true });
  for (const place of ['tree/link', 'tree/a/link', 'tree/a/b/link'])
    symlinkSync(join(root, 'outside'), join(root, place));
  writeFileSync(join(root, 'tree/a/b/file'), '');
  using parent = opened();
  await removeTree(parent, 'tree');
  assert.deepEqual(readdirSync(root), ['outside']);
  assert.equal(readFileSync(join(root, 'outside/file'), 'utf8'), 'kept');
});

test('a link in the place of the tree is removed, not followed', async () => {
  mkdirSync(join(root, 'outside'));
  symlinkSync('outside', join(root, 'link'));
  using parent = opened();
  await removeTree(parent, 'link');
  assert.deepEqual(readdirSync(root).sort(), ['outside', 'tree']);
});

test('a missing tree is no error', async () => {
  using parent = opened();
  await removeTree(parent, 'none');
});

test('depth beyond the longest path costs neither stack nor descriptors', async () => {
  // Built from the bottom up, since no path is long enough for it: each round moves all into a new parent.
  const depth = 1000;
  for (let level = 0; level < depth; level += 1) {
    mkdirSync(join(root, 'next'));
    renameSync(join(root, 'tree'), join(root, 'next/inner'));
    renameSync(join(root, 'next'), join(root, 'tree'));
  }
  using parent = opened();
  await removeTree(parent, 'tree');
  assert.equal(existsSync(join(root, 'tree')), false);
});

test('directories without rights and names that are no text are removed, too', async () => {
  mkdirSync(join(root, 'tree/closed/inner'), { recursive: true });
  mkdirSync(Buffer.concat([Buffer.from(join(root, 'tree/')), Buffer.from([0xff, 0xfe])]));
  writeFileSync(
    Buffer.concat([
      Buffer.from(join(root, 'tree/')),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('/\xff', 'latin1'),
    ]),
    '',
  );
  chmodSync(join(root, 'tree/closed/inner'), 0);
  chmodSync(join(root, 'tree/closed'), 0);
  using parent = opened();
  await removeTree(parent, 'tree');
  assert.equal(existsSync(join(root, 'tree')), false);
});

test('other work gets its turn, and an abort ends it', async () => {
  for (let count = 0; count < 1200; count += 1) writeFileSync(join(root, `tree/${count}`), '');
  const abort = new AbortController();
  setImmediate(() => abort.abort(new Error('enough')));
  using parent = opened();
  await assert.rejects(removeTree(parent, 'tree', { signal: abort.signal }), /enough/);
  assert.ok(readdirSync(join(root, 'tree')).length > 0);
});

test('a shredded file is overwritten for every name that it has', () => {
  writeFileSync(join(root, 'secret'), 'secret');
  linkSync(join(root, 'secret'), join(root, 'other'));
  using parent = opened();
  shred(parent, 'secret');
  assert.equal(existsSync(join(root, 'secret')), false);
  assert.equal(readFileSync(join(root, 'other'), 'latin1'), '\0\0\0\0\0\0');
});

test('shredding a link takes the link and leaves its target as it is', () => {
  writeFileSync(join(root, 'secret'), 'secret');
  symlinkSync('secret', join(root, 'link'));
  using parent = opened();
  shred(parent, 'link');
  assert.equal(existsSync(join(root, 'link')), false);
  assert.equal(readFileSync(join(root, 'secret'), 'utf8'), 'secret');
});
