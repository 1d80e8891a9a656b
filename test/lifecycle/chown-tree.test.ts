// Changing the owner of a container's files to the user, on a real file system.
import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { type ChownRequest, chownTree } from '../../src/host/fs/chown-tree.ts';
import { loadLibc } from '../../src/host/linux/load-libc.ts';

const range = { from: 2_000_000, count: 65_536 };
const libc = await loadLibc();
const owner = { uid: 20_001, gid: 20_002 };

class Tree implements Disposable {
  readonly path = mkdtempSync('/tmp/coit-give-');
  readonly fd = openSync(this.path, constants.O_RDONLY | constants.O_DIRECTORY);

  [Symbol.dispose](): void {
    closeSync(this.fd);
    rmSync(this.path, { recursive: true, force: true });
  }

  file(name: string, uid: number, gid: number, mode = 0o644): string {
    const path = `${this.path}/${name}`;
    writeFileSync(path, 'x');
    lchownSync(path, uid, gid);
    chmodSync(path, mode);
    return path;
  }

  directory(name: string, uid: number): void {
    mkdirSync(`${this.path}/${name}`);
    lchownSync(`${this.path}/${name}`, uid, uid);
  }

  give(more: Partial<ChownRequest> = {}) {
    const signal = new AbortController().signal;
    return chownTree({
      libc,
      directory: this.fd,
      range,
      owner,
      shouldContinue: () => true,
      signal,
      ...more,
    });
  }
}

const ids = (path: string) => {
  const { uid, gid, mode } = lstatSync(path);
  return [uid, gid, mode & 0o7777];
};

test('exactly files with ids of the range change owner, uid and gid separately, without suid bits', async () => {
  using tree = new Tree();
  const [first, last] = [range.from, range.from + range.count - 1];
  tree.directory('db', first + 999);
  const inner = tree.file('db/data', first + 999, first + 999);
  const suid = tree.file('suid', first, 0, 0o6755);
  const group = tree.file('group', 5, last);
  const before = tree.file('before', first - 1, last + 1, 0o4755);
  lchownSync(tree.path, last, last);
  assert.deepEqual(await tree.give(), { count: 5, complete: true });
  assert.deepEqual(ids(inner), [owner.uid, owner.gid, 0o644]);
  assert.deepEqual(ids(`${tree.path}/db`).slice(0, 2), [owner.uid, owner.gid]);
  assert.deepEqual(ids(suid), [owner.uid, 0, 0o755]);
  assert.deepEqual(ids(group), [5, owner.gid, 0o644]);
  assert.deepEqual(ids(before), [first - 1, last + 1, 0o4755]);
  assert.deepEqual(ids(tree.path).slice(0, 2), [owner.uid, owner.gid]);
  assert.deepEqual(await tree.give(), { count: 0, complete: true });
});

test('a link itself changes owner, never its target, and linked directories are not entered', async () => {
  using tree = new Tree();
  using elsewhere = new Tree();
  const target = elsewhere.file('target', range.from, range.from);
  symlinkSync(target, `${tree.path}/link`);
  symlinkSync(elsewhere.path, `${tree.path}/directory`);
  lchownSync(`${tree.path}/link`, range.from, range.from);
  assert.deepEqual(await tree.give(), { count: 1, complete: true });
  assert.deepEqual(ids(`${tree.path}/link`).slice(0, 2), [owner.uid, owner.gid]);
  assert.deepEqual(ids(target).slice(0, 2), [range.from, range.from]);
});

test('names that are not text, blanks, newlines and great depth are handled', async () => {
  using tree = new Tree();
  let path: Buffer = Buffer.from(`${tree.path}/`);
  for (let depth = 0; depth < 300; depth += 1) {
    path = Buffer.concat([path, Buffer.from([0xff, 0x0a, 0x20, 0x27]), Buffer.from('/')]);
    if (path.length > 1500) break;
    mkdirSync(path);
    lchownSync(path, range.from, 0);
  }
  const { count, complete } = await tree.give();
  assert.ok(complete);
  assert.ok(count > 200, `${count}`);
});

test('a hard link does not count as a second file', async () => {
  using tree = new Tree();
  const path = tree.file('one', range.from, 0);
  linkSync(path, `${tree.path}/two`);
  assert.deepEqual(await tree.give(), { count: 1, complete: true });
});

test('a dry run only counts, and an abort stops it', async () => {
  using tree = new Tree();
  for (let at = 0; at < 250; at += 1) tree.file(`f${at}`, range.from, 0);
  assert.deepEqual(await tree.give({ dryRun: true }), { count: 250, complete: true });
  let attempts = 0;
  const stopped = await tree.give({ shouldContinue: () => ++attempts < 3 });
  assert.deepEqual(stopped, { count: 200, complete: false });
  const aborted = new AbortController();
  aborted.abort();
  assert.equal((await tree.give({ signal: aborted.signal })).complete, false);
});
