import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Answer, decide, host, type Situation } from './decide.ts';
import type { Login } from './formats/login.ts';
import { hashesOf, hashOf, loginStatus } from './login-status.ts';

const nowMs = 1_000_000;
const hour = 3_600_000;
const pair = (one: string): Login => ({
  id: 'x',
  refresh: `r${one}`,
  access: `a${one}`,
  expiresMs: nowMs,
  account: undefined,
  name: undefined,
  value: {},
});

const tokens = fc.constantFrom('1', '2', '3', '4', '5');
const anyLogin = fc.record({
  id: fc.constant('x'),
  refresh: fc.oneof(
    tokens.map((one) => `r${one}`),
    fc.constant(''),
  ),
  access: tokens.map((one) => `a${one}`),
  expiresMs: fc.constantFrom(0, nowMs, nowMs + 1, nowMs + hour, Number.MAX_SAFE_INTEGER),
  account: fc.constantFrom('me', 'them', undefined),
  name: fc.constant(undefined),
  value: fc.constant({}),
});
const anyCopy = (holder: string) =>
  fc.record({
    holder: fc.constant(holder),
    login: fc.option(anyLogin, { nil: undefined }),
    blank: fc.boolean(),
  });
const anyAnswer: fc.Arbitrary<Answer> = fc.constantFrom<Answer[]>(
  'refused',
  'unreachable',
  'no-question',
  { account: 'me', name: undefined },
  { account: 'them', name: undefined },
);
const anyHashes = fc.subarray(['1', '2', '3', '4', '5'].flatMap((one) => hashesOf(pair(one))));
const anySituation = fc.record({
  copies: fc.tuple(anyCopy(host), anyCopy('a'), anyCopy('b')),
  known: fc.record({
    tokens: anyHashes,
    given: anyHashes,
    current: fc.option(
      tokens.map((one) => hashOf(pair(one))),
      { nil: undefined },
    ),
    account: fc.constantFrom('me', undefined),
    name: fc.constant(undefined),
    from: fc.constantFrom(host, 'a', undefined),
    verdicts: fc.constant([]),
  }),
  answers: fc
    .record({ host: anyAnswer, a: anyAnswer, b: anyAnswer })
    .map((all) => new Map(Object.entries(all))),
  hostAccount: fc.constantFrom('me', undefined),
  nowMs: fc.constant(nowMs),
  lifeMaxMs: fc.constantFrom(2 * hour, Number.MAX_SAFE_INTEGER),
});

describe('login decisions for any set of copies', () => {
  test("a session's login is accepted only for the user's account, and only if it was never distributed", () => {
    fc.assert(
      fc.property(anySituation, (situation) => {
        const { winner, from } = decide(situation);
        const own = situation.copies[0].login;
        if (!winner || from === host || from === undefined) return;
        const answer = situation.answers.get(from);
        if (hashOf(winner) === situation.known.current) return;
        assert.ok(!situation.known.tokens.includes(hashOf(winner)));
        assert.notEqual(winner.refresh, '');
        const account = typeof answer === 'object' ? answer.account : winner.account;
        const hostAnswer = situation.answers.get(host);
        const mine =
          own?.account ??
          situation.hostAccount ??
          situation.known.account ??
          (typeof hostAnswer === 'object' ? hostAnswer.account : undefined);
        assert.equal(account, mine);
        const stale = !own || loginStatus(own, situation.known) === 'old';
        const dead = [...situation.answers.values()].includes('refused');
        assert.ok(stale || dead || winner.expiresMs > own.expiresMs);
      }),
      { numRuns: 3000 },
    );
  });

  test('no login is written without a winner or where the winner already is', () => {
    fc.assert(
      fc.property(anySituation, (situation) => {
        const { winner, recipients } = decide(situation);
        if (!winner) assert.deepEqual(recipients, []);
        for (const { holder, login: one } of situation.copies)
          if (one && winner && hashOf(one) === hashOf(winner))
            assert.ok(!recipients.includes(holder));
      }),
      { numRuns: 3000 },
    );
  });

  test('once all copies are up to date, nothing more is done', () => {
    const after = ({ copies, ...situation }: Situation): Situation => {
      const { recipients, winner, known } = decide({ copies, ...situation });
      const given = copies.map((one) =>
        winner && recipients.includes(one.holder) ? { ...one, login: winner, blank: false } : one,
      );
      return { ...situation, copies: given, known };
    };
    fc.assert(
      fc.property(anySituation, (situation) => {
        if (decide(situation).swapped) return;
        // A login that was taken may reveal another one, so it may take two rounds.
        const settled = after(after(situation));
        const { recipients, winner, later } = decide(settled);
        assert.deepEqual(recipients, []);
        // Nothing is recorded for a login that could not be checked.
        if (winner && !later) assert.equal(hashOf(winner), settled.known.current);
      }),
      { numRuns: 3000 },
    );
  });
});
