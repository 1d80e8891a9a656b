import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootId, identityOf, isIdentity, isSameFile } from './identity.ts';

const marks = { dev: 7, ino: 42, birthtimeMs: 1000.5 };

test('a directory is identified by inode and birth time, and by device until the next boot', () => {
  const identity = identityOf(marks, 'this');
  assert.ok(isSameFile(identity, marks, 'this'));
  assert.ok(!isSameFile(identity, { ...marks, ino: 43 }, 'this'));
  assert.ok(!isSameFile(identity, { ...marks, birthtimeMs: 1001 }, 'this'));
  assert.ok(!isSameFile(identity, { ...marks, dev: 8 }, 'this'));
  assert.ok(isSameFile(identity, { ...marks, dev: 8 }, 'next'));
  assert.ok(!isSameFile(identity, { ...marks, dev: 8, birthtimeMs: 0 }, 'next'));
});

test('an identity read from a file is valid only if it is complete', () => {
  assert.ok(isIdentity(JSON.parse(JSON.stringify(identityOf(marks, bootId())))));
  for (const value of [undefined, null, 1, {}, { ...identityOf(marks, 'x'), boot: 1 }])
    assert.ok(!isIdentity(value));
});
