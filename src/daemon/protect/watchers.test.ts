import assert from 'node:assert/strict';
import { mkdtempSync, openSync, rmSync, type watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Beneath } from '../../host/fs/beneath.ts';
import { loadLibc } from '../../host/linux/load-libc.ts';
import { nothingProtected } from '../../session/protect/protection-types.ts';
import { Watchers } from './watchers.ts';

const libc = await loadLibc();

test('a directory that loses its kernel watch is polled until it can be watched again', async () => {
  const root = mkdtempSync(join(tmpdir(), 'coit-watchers-'));
  try {
    using below = new Beneath(libc, openSync(root, 0o10000000 | 0o200000));
    let changes = 0;
    let changed = () => {};
    const refused = (() => {
      throw Object.assign(new Error('no watch left'), { code: 'EMFILE' });
    }) as unknown as typeof watch;
    const watchers = new Watchers(() => {
      changes += 1;
      changed();
    }, refused);
    const next = () =>
      new Promise<void>((resolve) => {
        changed = resolve;
      });
    const first = next();
    assert.equal(watchers.update(nothingProtected, [], below), false);
    assert.equal(changes, 0);
    await first;
    assert.equal(changes, 1);
    watchers.close();

    const seeing = new Watchers(() => changed());
    assert.equal(seeing.update(nothingProtected, ['.'], below), true);
    const reported = next();
    writeFileSync(join(root, 'made'), '');
    await reported;
    seeing.close();
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('a directory that cannot be watched for any other reason is an error', () => {
  const root = mkdtempSync(join(tmpdir(), 'coit-watchers-'));
  try {
    using below = new Beneath(libc, openSync(root, 0o10000000 | 0o200000));
    const failing = (() => {
      throw Object.assign(new Error('no'), { code: 'EBADF' });
    }) as unknown as typeof watch;
    assert.throws(() => new Watchers(() => {}, failing).update(nothingProtected, [], below), {
      code: 'EBADF',
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});
