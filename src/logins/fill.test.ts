import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isReplaced } from './fill.ts';
import type { Login } from './login.ts';
import { type Known, nothingKnown, type Reason } from './memory.ts';
import { hashOf } from './standing.ts';

const nowMs = 1_000_000;
const login = (name: string, expiresMs: number): Login => ({
  id: 'x',
  refresh: `r-${name}`,
  access: `a-${name}`,
  expiresMs,
  account: undefined,
  name: undefined,
  value: {},
});
const users = login('users', nowMs + 9000);
const at = { session: 'a', nowMs };
const judged = (one: Login, reason: Reason): Known => ({
  ...nothingKnown,
  verdicts: [{ session: 'a', hash: hashOf(one), reason, name: undefined }],
});

describe('a start replaces what the session has', () => {
  test('only where that has ended, if it was never seen', () => {
    assert.equal(isReplaced(login('own', nowMs + 1), users, nothingKnown, at), false);
    assert.equal(isReplaced(login('own', nowMs), users, nothingKnown, at), true);
  });

  test('never where it was found to be the session’s own', () => {
    const ended = login('own', nowMs - 1);
    for (const reason of ['other', 'apart', 'unknown', 'offered'] as const)
      assert.equal(isReplaced(ended, users, judged(ended, reason), at), false, reason);
    assert.equal(isReplaced(ended, users, judged(ended, 'refused'), at), true);
    const elsewhere = { ...at, session: 'b' };
    assert.equal(isReplaced(ended, users, judged(ended, 'other'), elsewhere), true);
  });
});
