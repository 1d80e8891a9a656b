import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootId, identityOf, isIdentity, isSame } from './identity.ts';

const marks = { dev: 7, ino: 42, birthtimeMs: 1000.5 };

test('a directory is known by inode and birth, and by its device as long as the host was not booted anew', () => {
  const identity = identityOf(marks, 'this');
  assert.ok(isSame(identity, marks, 'this'));
  assert.ok(!isSame(identity, { ...marks, ino: 43 }, 'this'));
  assert.ok(!isSame(identity, { ...marks, birthtimeMs: 1001 }, 'this'));
  assert.ok(!isSame(identity, { ...marks, dev: 8 }, 'this'));
  assert.ok(isSame(identity, { ...marks, dev: 8 }, 'next'));
  assert.ok(!isSame(identity, { ...marks, dev: 8, birthtimeMs: 0 }, 'next'));
});

test('what was read from a file is an identity only if it is whole', () => {
  assert.ok(isIdentity(JSON.parse(JSON.stringify(identityOf(marks, bootId())))));
  for (const value of [undefined, null, 1, {}, { ...identityOf(marks, 'x'), boot: 1 }])
    assert.ok(!isIdentity(value));
});
