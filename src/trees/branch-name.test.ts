// Branch names of own trees.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { checkedBranch, treeNameOf } from './branch-name.ts';

it('names that git allows are accepted', () => {
  for (const name of ['login', 'fix/login', 'a.b_c-d', 'größe', 'v1.2', 'x'.repeat(200)])
    assert.equal(checkedBranch(name), name);
});

it('names that git refuses, or reads as an option or a commit, are usage errors', () => {
  for (const name of [
    '',
    ' ',
    '-x',
    '--upload-pack=evil',
    'HEAD',
    '@',
    'a..b',
    'a@{1}',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[',
    'a\\b',
    '/a',
    'a/',
    'a//b',
    'a.lock',
    'a.lock/b',
    '.a',
    'a/.b',
    'a.',
    'a\nb',
    'a\u009b',
    '\ud800',
    'x'.repeat(201),
    'a'.repeat(40),
  ])
    assert.throws(() => checkedBranch(name), { code: 'usage' }, name);
});

it('a tree has the name of its branch if that is a plain word', () => {
  assert.equal(treeNameOf('login'), 'login');
  assert.equal(treeNameOf('v1.2-x_y'), 'v1.2-x_y');
  assert.match(treeNameOf('fix/login'), /^fix-login-[0-9a-f]{6}$/);
  assert.match(treeNameOf('größe'), /^gr-e-[0-9a-f]{6}$/);
  assert.match(treeNameOf('日本'), /^tree-[0-9a-f]{6}$/);
});

it('two branches never share a directory, and it never leaves its parent', () => {
  const part = fc.stringMatching(/^[a-zäß/._-]{1,12}$/);
  fc.assert(
    fc.property(part, part, (one, other) => {
      const name = treeNameOf(one);
      assert.match(name, /^[A-Za-z0-9_][A-Za-z0-9._-]*$/);
      if (one !== other && isBranch(one) && isBranch(other))
        assert.notEqual(name, treeNameOf(other));
    }),
  );
});

function isBranch(name: string): boolean {
  try {
    return checkedBranch(name) !== '';
  } catch {
    return false;
  }
}
