import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foldedName } from './case-folding.ts';

test('other spellings of a name are equal to it, other names are not', () => {
  for (const name of ['.GIT', '.git\u200c', '.g\u00adIt', '.\ufeffgit'])
    assert.equal(foldedName(name), '.git', JSON.stringify(name));
  assert.equal(foldedName('caf\u00e9'), foldedName('CAFE\u0301'));
  for (const name of ['.git2', 'git', '.gi', '.g\u0456t'])
    assert.notEqual(foldedName(name), '.git', name);
});
