import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidateLines, filterCandidates, kindOfArgument, kindOfValue } from './kinds.ts';

test('completion never offers names with shell metacharacters', () => {
  const words = ['good', '$(id)', '`id`', 'a b', "a'b", 'a\nb', 'good', 'other', ''];
  const all = words.map((word) => ({ word }));
  const names = (current: string) => filterCandidates(all, current).map(({ word }) => word);
  assert.deepEqual(names(''), ['good', 'other']);
  assert.deepEqual(names('g'), ['good']);
});

test("a candidate's description is one short line, whatever an agent wrote", () => {
  const [one] = filterCandidates(
    [{ word: 'a', text: `x\ty\n\u001b[31m\u202eevil ${'z'.repeat(99)}` }],
    '',
  );
  assert.equal(one?.text, `x y [31m evil ${'z'.repeat(99)}`.slice(0, 80));
  const candidates = [{ word: 'a', text: 'b' }, { word: 'c' }];
  assert.deepEqual(candidateLines({ candidates, files: true }), ['a\tb', 'c', ':files']);
});

test('each argument is completed with candidates of its kind', () => {
  assert.equal(kindOfArgument('attach', undefined, 0), 'sessions');
  assert.equal(kindOfArgument('attach', undefined, 1), 'none');
  assert.equal(kindOfArgument('kill', undefined, 4), 'sessions');
  assert.equal(kindOfArgument('send', undefined, 0), 'sessions');
  assert.equal(kindOfArgument('wait', undefined, 2), 'sessions');
  assert.equal(kindOfArgument('seen', undefined, 1), 'sessions');
  assert.equal(kindOfValue('--session', 'name'), 'sessions');
  assert.equal(kindOfArgument('shell', undefined, 0), 'aliases');
  assert.equal(kindOfArgument('merge', undefined, 0), 'trees');
  assert.equal(kindOfValue('--branch', 'name'), 'trees');
  assert.equal(kindOfArgument('snapshot', 'restore', 0), 'snapshots');
  assert.equal(kindOfArgument('container', 'launch', 0), 'images');
  assert.equal(kindOfArgument('container', 'stop', 0), 'sessions');
  assert.equal(kindOfArgument('health', undefined, 0), 'none');
  assert.equal(kindOfValue('--profile', 'name'), 'profiles');
  assert.equal(kindOfValue('--workspace', 'path'), 'files');
  assert.equal(kindOfValue('--timeout', 'seconds'), 'none');
});
