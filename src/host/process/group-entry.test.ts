import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { groupDecision, readGroups, sgArguments } from './group-entry.ts';

const facts = { access: 'refused', member: true, entered: false, hasSg: true } as const;

test('a login without the group enters it once', () => {
  assert.equal(groupDecision(facts), 'enter');
  assert.equal(groupDecision({ ...facts, entered: true }), 'login');
  assert.equal(groupDecision({ ...facts, hasSg: false }), 'login');
});

test('the group is not entered without need or permission', () => {
  assert.equal(groupDecision({ ...facts, access: 'open' }), 'go');
  assert.equal(groupDecision({ ...facts, access: 'missing' }), 'go');
  assert.equal(groupDecision({ ...facts, member: false }), 'join');
});

test('the members and name of the primary group are read from group(5)', () => {
  const text = 'root:x:0:\nincus-admin:x:994:ann,bob\nann:x:1001:\n';
  assert.deepEqual(readGroups(text, 'incus-admin', 1001, 'ann'), { member: true, primary: 'ann' });
  assert.deepEqual(readGroups(text, 'incus-admin', 7, 'eve'), {
    member: false,
    primary: undefined,
  });
  assert.deepEqual(readGroups(text, 'none', 0, 'ann'), { member: false, primary: 'root' });
});

test('every argument reaches the program unchanged through both shells', () => {
  const words = [
    '',
    ' ',
    "it's",
    '"',
    '$(id)',
    '`id`',
    'a\nb',
    '*',
    '\\',
    '-x',
    '~',
    '#',
    'ä€',
    "';:'",
  ];
  const [, , , inner = ''] = sgArguments('incus-admin', 'users', ['printf', '%s\\0', ...words]);
  // The outer sg passes `inner` to sh, the inner sg its last argument to sh: simulate both with sh alone.
  const asSh = inner.replace(/^exec \/usr\/bin\/sg users -c/, 'exec sh -c');
  assert.notEqual(asSh, inner);
  const output = execFileSync('sh', ['-c', asSh], { encoding: 'utf8' });
  assert.deepEqual(output.split('\0').slice(0, -1), words);
});

test('without a name for the primary group, one sg must suffice', () => {
  assert.deepEqual(sgArguments('g', undefined, ['coi', 'a b']), [
    '/usr/bin/sg',
    'g',
    '-c',
    "exec coi 'a b'",
  ]);
});
