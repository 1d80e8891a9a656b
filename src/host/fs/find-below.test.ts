import assert from 'node:assert/strict';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadLibc } from '../linux/load-libc.ts';
import { runProgramSync } from '../process/program.ts';
import { findBelow } from './find-below.ts';

const libc = await loadLibc();
const { signal } = new AbortController();

class Tree implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'coit-find-'));
  readonly fd = openSync(this.path, constants.O_RDONLY | constants.O_DIRECTORY);

  [Symbol.dispose](): void {
    closeSync(this.fd);
    rmSync(this.path, { recursive: true, force: true });
  }

  /** The paths found, each with the path of its descriptor. */
  async found(
    tests: readonly string[],
    before: (path: string) => void = () => undefined,
  ): Promise<Map<string, string | undefined>> {
    const found = new Map<string, string | undefined>();
    const complete = await findBelow(
      { libc, directory: this.fd, tests, signal },
      async ({ path, fd }) => {
        const name = path.toString('latin1');
        const target = fd === undefined ? undefined : readlinkSync(`/proc/self/fd/${fd}`, 'latin1');
        found.set(name, target?.slice(this.path.length + 1));
        before(name);
        return 'more';
      },
    );
    assert.ok(complete);
    return found;
  }
}

test('entries are found with their directory, with any bytes in names, links themselves included', async () => {
  using tree = new Tree();
  mkdirSync(join(tree.path, 'a'));
  writeFileSync(Buffer.concat([Buffer.from(`${tree.path}/a/`), Buffer.from([0x66, 0xff])]), '');
  symlinkSync('/etc/passwd', join(tree.path, 'link'));
  const found = await tree.found([]);
  assert.deepEqual([...found.keys()].sort(), ['', 'a', 'a/f\u00ff', 'link']);
  for (const [path, led] of found) assert.equal(led, path);
});

test('an entry that became a link meanwhile, or lies behind one, is not opened', async () => {
  using tree = new Tree();
  mkdirSync(join(tree.path, 'a'));
  writeFileSync(join(tree.path, 'a/file'), '');
  // find prints `a` before its content.
  const found = await tree.found(['-mindepth', '1'], (name) => {
    if (name !== 'a') return;
    renameSync(join(tree.path, 'a'), join(tree.path, 'b'));
    symlinkSync('b', join(tree.path, 'a'));
  });
  // Either find saw the link, or the printed path no longer opens.
  assert.equal(found.get('a/file'), undefined);
});

test('a tree deeper than the longest path is walked to its end', async () => {
  using tree = new Tree();
  const name = 'd'.repeat(250);
  let at = tree.fd;
  const descriptors: number[] = [];
  for (let depth = 0; depth < 20; depth += 1) {
    mkdirSync(`/proc/self/fd/${at}/${name}`);
    at = openSync(`/proc/self/fd/${at}/${name}`, constants.O_RDONLY | constants.O_DIRECTORY);
    descriptors.push(at);
  }
  writeFileSync(`/proc/self/fd/${at}/file`, '');
  for (const fd of descriptors) closeSync(fd);
  const hits: boolean[] = [];
  const tests = ['-name', 'file'];
  await findBelow({ libc, directory: tree.fd, tests, signal }, async ({ path, fd }) => {
    assert.equal(path.length, 20 * 251 + 4);
    hits.push(fd !== undefined);
    return 'more';
  });
  assert.deepEqual(hits, [true]);
  // rm(1) can remove such a tree, rmSync cannot.
  const removal = ['rm', '-rf', '--', join(tree.path, name)];
  assert.equal(runProgramSync(removal, { limitMs: 10_000, maxBytes: 0 }).status, 0);
});
