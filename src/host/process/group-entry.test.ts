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

test('nobody enters a group without need or right', () => {
  assert.equal(groupDecision({ ...facts, access: 'open' }), 'go');
  assert.equal(groupDecision({ ...facts, access: 'missing' }), 'go');
  assert.equal(groupDecision({ ...facts, member: false }), 'join');
});

test('the members and the name of the primary group are read from group(5)', () => {
  const text = 'root:x:0:\nincus-admin:x:994:ann,bob\nann:x:1001:\n';
  assert.deepEqual(readGroups(text, 'incus-admin', 1001, 'ann'), { member: true, primary: 'ann' });
  assert.deepEqual(readGroups(text, 'incus-admin', 7, 'eve'), {
    member: false,
    primary: undefined,
  });
  assert.deepEqual(readGroups(text, 'none', 0, 'ann'), { member: false, primary: 'root' });
});

test('every argument reaches the program as it was, through both shells', () => {
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
  // The outer sg hands `inner` to sh, the inner sg its last argument to sh: play both with sh alone.
  const asSh = inner.replace(/^exec \/usr\/bin\/sg users -c/, 'exec sh -c');
  assert.notEqual(asSh, inner);
  const output = execFileSync('sh', ['-c', asSh], { encoding: 'utf8' });
  assert.deepEqual(output.split('\0').slice(0, -1), words);
});

test('without a name for the primary group one sg has to do', () => {
  assert.deepEqual(sgArguments('g', undefined, ['coi', 'a b']), [
    '/usr/bin/sg',
    'g',
    '-c',
    "exec coi 'a b'",
  ]);
});
