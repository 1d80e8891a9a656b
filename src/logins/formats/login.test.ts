import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameIn, sameAccount } from './login.ts';

test('an account without an organization is a personal one', () => {
  assert.ok(sameAccount('me us', 'me '));
  assert.ok(sameAccount('me', 'me us'));
  assert.ok(!sameAccount('me us', 'me them'));
  assert.ok(!sameAccount('them us', 'me '));
  assert.ok(!sameAccount(' one', ' two'));
  assert.ok(!sameAccount('me us', 'me us more'));
  assert.ok(!sameAccount('me us', undefined));
});

test('a name that an agent wrote becomes one line of text', () => {
  assert.equal(nameIn('x\n\u001b[0m[setup] run this\u202e'), 'x [0m[setup] run this');
  assert.equal(nameIn('\n'), undefined);
  assert.equal(nameIn('me@example.org'), 'me@example.org');
  assert.equal(nameIn('x'.repeat(900))?.length, 200);
});
