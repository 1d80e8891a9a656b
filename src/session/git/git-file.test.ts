import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadTime } from '../../host/proc/allowance.ts';
import { gitFileTarget, lineOf, withoutEnd } from './git-file.ts';

test('a .git file is read as git reads it', () => {
  assert.equal(gitFileTarget('gitdir: ../a/.git/modules/b\n'), '../a/.git/modules/b');
  assert.equal(gitFileTarget('gitdir: a b \r\n\n'), 'a b ');
  assert.equal(gitFileTarget('gitdir: a\0b'), 'a');
  assert.equal(gitFileTarget('gitdir: a\nb\n'), 'a\nb');
  for (const text of [undefined, '', 'gitdir: ', 'gitdir: \n', 'x', `gitdir: ${'a'.repeat(5000)}`])
    assert.equal(gitFileTarget(text), undefined);
  assert.equal(lineOf('..\n'), '..');
  assert.equal(withoutEnd('a//b//', '/'), 'a//b');
});

test('a megabyte of blanks or newlines is read quickly', () => {
  const startMs = threadTime();
  for (const blank of [' ', '\n']) gitFileTarget(`gitdir: ${blank.repeat(1_000_000)}x\ny`);
  const tookMs = threadTime() - startMs;
  assert.ok(tookMs < 1000, `${tookMs} ms`);
});
