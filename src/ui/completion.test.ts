import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOfArgument, kindOfValue, safeCandidates } from './completion.ts';

test('names that a shell would act on are never offered', () => {
  const names = ['good', '$(id)', '`id`', 'a b', "a'b", 'a\nb', 'good', 'other', ''];
  assert.deepEqual(safeCandidates(names, ''), ['good', 'other']);
  assert.deepEqual(safeCandidates(names, 'g'), ['good']);
});

test('each argument is completed by what it names', () => {
  assert.equal(kindOfArgument('attach', undefined), 'sessions');
  assert.equal(kindOfArgument('shell', undefined), 'aliases');
  assert.equal(kindOfArgument('snapshot', 'restore'), 'snapshots');
  assert.equal(kindOfArgument('container', 'launch'), 'images');
  assert.equal(kindOfValue('--profile'), 'profiles');
  assert.equal(kindOfValue('--workspace'), 'files');
});
