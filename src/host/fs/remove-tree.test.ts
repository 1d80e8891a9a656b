import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Directory, FileError, hostFiles } from './host-files.ts';
import { removeTree, removeTreeAt } from './remove-tree.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'coit-remove-'));
  mkdirSync(join(root, 'tree'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function openFake(): Directory {
  const directory = hostFiles.open(root);
  assert.ok(directory);
  return directory;
}

test('a tree is removed, and targets of its links stay', async () => {
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside/file'), 'kept');
  mkdirSync(join(root, 'tree/a/b'), { recursive: true });
  for (const place of ['tree/link', 'tree/a/link', 'tree/a/b/link'])
    symlinkSync(join(root, 'outside'), join(root, place));
  writeFileSync(join(root, 'tree/a/b/file'), '');
  using parent = openFake();
  await removeTree(parent, 'tree');
  assert.deepEqual(readdirSync(root), ['outside']);
  assert.equal(readFileSync(join(root, 'outside/file'), 'utf8'), 'kept');
});

test('a link in place of the tree is removed, not followed', async () => {
  mkdirSync(join(root, 'outside'));
  symlinkSync('outside', join(root, 'link'));
  using parent = openFake();
  await removeTree(parent, 'link');
  assert.deepEqual(readdirSync(root).sort(), ['outside', 'tree']);
});

test('removing a missing tree is not an error', async () => {
  using parent = openFake();
  await removeTree(parent, 'none');
});

test('a tree deeper than the longest path needs neither stack nor descriptors', async () => {
  // Built from the bottom up, since no path is long enough for it: each round moves all into a new parent.
  const depth = 1000;
  for (let level = 0; level < depth; level += 1) {
    mkdirSync(join(root, 'next'));
    renameSync(join(root, 'tree'), join(root, 'next/inner'));
    renameSync(join(root, 'next'), join(root, 'tree'));
  }
  using parent = openFake();
  await removeTree(parent, 'tree');
  assert.equal(existsSync(join(root, 'tree')), false);
});

test('directories without permissions and names that are not text are removed too', async () => {
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
  using parent = openFake();
  await removeTree(parent, 'tree');
  assert.equal(existsSync(join(root, 'tree')), false);
});

test('removal yields to other work and can be aborted', async () => {
  for (let count = 0; count < 1200; count += 1) writeFileSync(join(root, `tree/${count}`), '');
  const abort = new AbortController();
  setImmediate(() => abort.abort(new Error('enough')));
  using parent = openFake();
  await assert.rejects(removeTree(parent, 'tree', { signal: abort.signal }), /enough/);
  assert.ok(readdirSync(join(root, 'tree')).length > 0);
});

test('shredding overwrites small files before unlinking, except hard-linked and large ones', async () => {
  const content = (path: string, text: string | Buffer) => {
    writeFileSync(join(root, path), text);
    return openSync(join(root, path), 'r');
  };
  mkdirSync(join(root, 'tree/deep'));
  const [login, deep, large] = [
    content('tree/login', 'secret'),
    content('tree/deep/login', 'secret'),
    content('tree/large', Buffer.alloc(2 ** 20 + 1, 'x')),
  ];
  writeFileSync(join(root, 'tree/linked'), 'secret');
  linkSync(join(root, 'tree/linked'), join(root, 'other'));
  await removeTreeAt(join(root, 'tree'), { shred: true });
  assert.deepEqual(readdirSync(root), ['other']);
  const text = (fd: number) => {
    const buffer = Buffer.alloc(6);
    readSync(fd, buffer, 0, 6, 0);
    closeSync(fd);
    return buffer.toString('latin1');
  };
  assert.deepEqual([login, deep, large].map(text), ['\0\0\0\0\0\0', '\0\0\0\0\0\0', 'xxxxxx']);
  assert.equal(readFileSync(join(root, 'other'), 'utf8'), 'secret');
});

test('shredding a link removes the link and leaves its target, at the top and below', async () => {
  mkdirSync(join(root, 'outside'));
  writeFileSync(join(root, 'outside/file'), 'secret');
  symlinkSync(join(root, 'outside/file'), join(root, 'tree/link'));
  symlinkSync(join(root, 'outside'), join(root, 'tree/directory'));
  symlinkSync('outside/file', join(root, 'link'));
  for (const name of ['tree', 'link']) await removeTreeAt(join(root, name), { shred: true });
  assert.deepEqual(readdirSync(root), ['outside']);
  assert.equal(readFileSync(join(root, 'outside/file'), 'utf8'), 'secret');
});

test('a directory that becomes a link during removal does not redirect overwriting', async () => {
  mkdirSync(join(root, 'outside'));
  mkdirSync(join(root, 'tree/inner'));
  for (const place of ['outside', 'tree/inner'])
    for (let count = 0; count < 600; count += 1)
      writeFileSync(join(root, `${place}/${count}`), 'x');
  for (let count = 0; count < 600; count += 1) writeFileSync(join(root, `tree/${count}`), 'x');
  setImmediate(() => {
    for (const name of readdirSync(join(root, 'tree'))) {
      const path = join(root, 'tree', name);
      if (!lstatSync(path).isDirectory()) continue;
      renameSync(path, join(root, 'aside'));
      symlinkSync(join(root, 'outside'), path);
    }
  });
  await removeTreeAt(join(root, 'tree'), { shred: true }).catch((error: unknown) => {
    // A directory that was moved up is a link now, which stops the removal.
    assert.ok(error instanceof FileError, String(error));
  });
  for (const name of readdirSync(join(root, 'outside')))
    assert.equal(readFileSync(join(root, 'outside', name), 'utf8'), 'x');
  assert.equal(readdirSync(join(root, 'outside')).length, 600);
});
