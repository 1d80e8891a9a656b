import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shellQuote, shellQuoteIfNeeded } from './shell-quoting.ts';

test('plain words are not quoted', () => {
  assert.equal(shellQuoteIfNeeded('--workspace=/home/a.b'), '--workspace=/home/a.b');
  assert.equal(shellQuoteIfNeeded("a'b"), "'a'\\''b'");
  assert.equal(shellQuote('a'), "'a'");
});
