import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shellQuoted, shellWord } from './shell-quoting.ts';

test('plain words are left as they are', () => {
  assert.equal(shellWord('--workspace=/home/a.b'), '--workspace=/home/a.b');
  assert.equal(shellWord("a'b"), "'a'\\''b'");
  assert.equal(shellQuoted('a'), "'a'");
});
