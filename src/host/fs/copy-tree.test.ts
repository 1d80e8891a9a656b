import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { copyTree } from './copy-tree.ts';
import { hostFiles } from './host-files.ts';

function makeDirectories() {
  const top = mkdtempSync(join(tmpdir(), 'coit-copy-'));
  for (const name of ['from', 'to']) mkdirSync(join(top, name));
  return {
    from: join(top, 'from'),
    to: join(top, 'to'),
    [Symbol.dispose]: () => rmSync(top, { recursive: true }),
  };
}

function copied(from: string, to: string, limits: { entries?: number; bytes?: number } = {}) {
  using source = hostFiles.open(from);
  using target = hostFiles.open(to);
  const leftOut: string[] = [];
  assert.ok(source && target);
  copyTree(source, target, {
    entriesLeft: limits.entries ?? 100,
    bytesLeft: limits.bytes ?? 10_000,
    leftOut: (path, why) => leftOut.push(`${path.slice(from.length + 1)} ${why}`),
  });
  return leftOut;
}

test('files, directories and links are copied with times and modes; the rest is reported', () => {
  using fixture = makeDirectories();
  mkdirSync(join(fixture.from, 'inner'));
  writeFileSync(join(fixture.from, 'inner/file'), 'content', { mode: 0o640 });
  symlinkSync('/etc/passwd', join(fixture.from, 'link'));
  execFileSync('mkfifo', [join(fixture.from, 'fifo')]);
  execFileSync('touch', ['-d', '2020-01-02T03:04:05Z', join(fixture.from, 'inner/file')]);
  assert.deepEqual(copied(fixture.from, fixture.to), ['fifo is a fifo']);
  assert.equal(readFileSync(join(fixture.to, 'inner/file'), 'utf8'), 'content');
  const { mode, mtime } = statSync(join(fixture.to, 'inner/file'));
  assert.deepEqual([mode & 0o7777, mtime.toISOString()], [0o640, '2020-01-02T03:04:05.000Z']);
  assert.equal(readlinkSync(join(fixture.to, 'link')), '/etc/passwd');
  assert.deepEqual(readdirSync(fixture.to).sort(), ['inner', 'link']);
});

test('a tree with more entries or bytes than allowed is refused', () => {
  using fixture = makeDirectories();
  writeFileSync(join(fixture.from, 'one'), 'x'.repeat(100));
  writeFileSync(join(fixture.from, 'two'), 'x'.repeat(100));
  assert.throws(() => copied(fixture.from, fixture.to, { entries: 1 }), { reason: 'too-many' });
  rmSync(fixture.to, { recursive: true });
  mkdirSync(fixture.to);
  assert.throws(() => copied(fixture.from, fixture.to, { bytes: 150 }), { reason: 'too-big' });
});
