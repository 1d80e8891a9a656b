import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, decide, host, type LoginCopy } from './decide.ts';
import type { Login } from './formats/login.ts';
import { hashesOf, hashOf } from './login-status.ts';
import { type KnownTokens, nothingKnown, withTokens } from './memory.ts';

const nowMs = 1_000_000;
const hour = 3_600_000;

function login(name: string, more: Partial<Login> = {}): Login {
  return {
    id: 'x',
    refresh: `refresh-${name}`,
    access: `access-${name}`,
    expiresMs: nowMs + hour,
    account: 'me',
    name: 'me@example.org',
    value: {},
    ...more,
  };
}

const copy = (holder: string, one: Login | undefined, blank = false): LoginCopy => ({
  holder,
  login: one,
  blank,
});
const me: Answer = { account: 'me', name: 'me@example.org' };

/** A state in which these logins were distributed. */
function knowing(...logins: Login[]): KnownTokens {
  const last = logins.at(-1);
  return {
    ...withTokens(nothingKnown, logins.flatMap(hashesOf)),
    current: last && hashOf(last),
    account: 'me',
    from: host,
  };
}

function decided(
  copies: readonly LoginCopy[],
  known: KnownTokens = nothingKnown,
  answers: Readonly<Record<string, Answer>> = {},
  hostAccount?: string,
) {
  return decide({
    copies,
    known,
    answers: new Map(Object.entries(answers)),
    hostAccount,
    nowMs,
    lifeMaxMs: 48 * hour,
  });
}

const first = login('first');
const second = login('second', { expiresMs: nowMs + 2 * hour });

describe('a login renewed in a session', () => {
  const copies = [copy(host, first), copy('a', second), copy('b', first)];

  test('a renewal in a session is verified with the provider before anything is done', () => {
    const { ask, winner } = decided(copies, knowing(first));
    assert.deepEqual([ask, winner], [['a'], undefined]);
  });

  test('a verified renewal goes to the host and to the other sessions', () => {
    const { winner, recipients, known } = decided(copies, knowing(first), { a: me });
    assert.equal(winner, second);
    assert.deepEqual(recipients, [host, 'b']);
    assert.deepEqual([known.current, known.from], [hashOf(second), 'a']);
  });

  test('a renewal goes by its files if the provider is unreachable', () => {
    assert.equal(decided(copies, knowing(first), { a: 'unreachable' }).winner, second);
    const unnamed = [copy(host, first), copy('a', { ...second, account: undefined })];
    const { winner, known } = decided(unnamed, knowing(first), { a: 'unreachable' });
    assert.equal(winner, first);
    assert.deepEqual(known.verdicts, [], 'it is asked about again');
    const nameless = [copy(host, { ...first, account: undefined }), unnamed[1] as LoginCopy];
    const nobody = { ...knowing(first), account: undefined };
    const answers = { [host]: 'unreachable', a: 'unreachable' } as const;
    assert.equal(decided(nameless, nobody, answers).winner?.expiresMs, second.expiresMs);
  });

  test('a renewal is not distributed if the provider names another account or refuses it', () => {
    const other: Answer = { account: 'them', name: 'them@example.org' };
    for (const [answer, reason] of [
      [other, 'other'],
      ['refused', 'refused'],
      ['no-question', 'unknown'],
    ] as const) {
      const { winner, recipients, known } = decided(copies, knowing(first), { a: answer });
      assert.deepEqual([winner, recipients], [first, []], reason);
      assert.equal(known.verdicts[0]?.reason, reason);
      // Once decided, it is not checked again.
      assert.deepEqual(decided(copies, known).ask, []);
    }
  });

  test('a renewal with an expired token is not distributed', () => {
    const ended = { ...second, expiresMs: nowMs - 1 };
    const { ask, winner } = decided(
      [copy(host, { ...first, expiresMs: nowMs - hour }), copy('a', ended)],
      knowing(first),
    );
    assert.deepEqual([ask, winner?.refresh], [[], first.refresh]);
  });

  test('a renewal with an impossible expiry, which nothing later could replace, is not distributed', () => {
    const forever = { ...second, expiresMs: nowMs + 49 * hour };
    const { ask, winner } = decided([copy(host, first), copy('a', forever)], knowing(first), {});
    assert.deepEqual([ask, winner], [[], first]);
  });

  test('a refresh token paired with an already distributed access token is not distributed', () => {
    const mixed = { ...second, access: first.access };
    const { ask, winner, recipients, known } = decided([copy(host, first), copy('a', mixed)]);
    assert.deepEqual([ask, winner, recipients], [[], first, ['a']]);
    assert.equal(known.verdicts[0]?.reason, 'mixed');
  });

  test('of two concurrent renewals the later one wins', () => {
    const third = login('third', { expiresMs: nowMs + 3 * hour });
    const all = [copy(host, first), copy('a', second), copy('b', third)];
    const { winner, recipients } = decided(all, knowing(first), { a: me, b: me });
    assert.deepEqual([winner, recipients], [third, [host, 'a']]);
  });
});

describe("the host's login", () => {
  test('a login renewed or created on the host goes to all sessions, even for another account', () => {
    for (const mine of [second, { ...second, account: 'my other', expiresMs: nowMs }]) {
      const both = [copy(host, mine), copy('a', first)];
      const { winner, recipients, ask } = decided(both, knowing(first));
      assert.deepEqual([winner, recipients, ask], [mine, ['a'], []]);
    }
  });

  test("a blank login on the host is replaced by a session's", () => {
    const blanked = [copy(host, undefined, true), copy('a', first)];
    const { winner, recipients } = decided(blanked, knowing(first));
    assert.deepEqual([winner, recipients], [first, [host]]);
    const renewed = [copy(host, undefined, true), copy('a', second)];
    assert.deepEqual(decided(renewed, knowing(first), { a: me }).recipients, [host]);
  });

  test("a host without a login gets none; the session's is offered", () => {
    const { winner, recipients, known } = decided(
      [copy(host, undefined), copy('a', second)],
      nothingKnown,
      { a: me },
    );
    assert.deepEqual([winner, recipients], [undefined, []]);
    assert.deepEqual(
      known.verdicts.map(({ session, reason }) => [session, reason]),
      [['a', 'offered']],
    );
  });

  test('an outdated login on the host is replaced by the current one', () => {
    const { winner, recipients } = decided(
      [copy(host, first), copy('a', second)],
      knowing(first, second),
    );
    assert.deepEqual([winner, recipients], [second, [host]]);
  });

  test("a host renewal that shows that a session's login was another user's is discarded", () => {
    const brought: KnownTokens = { ...knowing(first, second), from: 'a' };
    const third = login('third', { expiresMs: nowMs + 3 * hour });
    const copies = [copy(host, third), copy('a', second)];
    assert.deepEqual(decided(copies, brought).ask, [host]);
    const bad = decided(copies, brought, { host: { account: 'them', name: undefined } });
    assert.deepEqual(
      [bad.swapped, bad.recipients, bad.known.verdicts[0]?.reason],
      [true, [], 'swapped'],
    );
    assert.equal(decided(copies, brought, { host: me }).winner, third);
  });
});

describe("a session's login", () => {
  test('a session with a blank or older login gets the current one', () => {
    const copies = [
      copy(host, second),
      copy('a', undefined, true),
      copy('b', first),
      copy('c', undefined),
    ];
    assert.deepEqual(decided(copies, knowing(first, second)).recipients, ['a', 'b', 'c']);
  });

  test("a session keeps another account's login and a key typed in by hand", () => {
    const foreign = login('foreign', { account: 'them', expiresMs: nowMs + hour / 2 });
    const key = login('key', { refresh: '', account: undefined });
    const { recipients, known } = decided(
      [copy(host, first), copy('a', foreign), copy('b', key)],
      knowing(first),
      { a: { account: 'them', name: 'them@example.org' } },
    );
    assert.deepEqual(recipients, []);
    assert.deepEqual(
      known.verdicts.map(({ name }) => name),
      ['them@example.org'],
    );
  });
});

describe("a new login in a session that expires before the user's", () => {
  const long = login('long', { expiresMs: nowMs + 9 * hour });
  const fresh = login('fresh', { expiresMs: nowMs + hour });
  const other: Answer = { account: 'them', name: undefined };

  test("a new login that expires earlier is verified, and so is the user's", () => {
    const copies = [copy(host, long), copy('a', fresh)];
    assert.deepEqual(decided(copies, knowing(long)).ask, [host, 'a']);
  });

  for (const [answers, wins, reasons] of [
    [{ host: 'refused', a: me }, true, []],
    [{ host: me, a: me }, false, ['apart']],
    [{ host: me, a: other }, false, ['other']],
    [{ host: me, a: 'no-question' }, false, ['unknown']],
    [{ host: 'later', a: me }, false, []],
    [{ host: 'unreachable', a: 'unreachable' }, false, []],
  ] as const)
    test(`a new login that expires earlier is not lost if the provider answers ${JSON.stringify(answers)}`, () => {
      const copies = [copy(host, long), copy('a', fresh)];
      const { winner, recipients, known } = decided(copies, knowing(long), answers);
      assert.deepEqual([winner, recipients], wins ? [fresh, [host]] : [long, []]);
      assert.deepEqual(
        known.verdicts.map(({ reason }) => reason),
        reasons,
      );
      // A later renewal of the user's login does not change that.
      const renewed = login('next', { expiresMs: nowMs + 20 * hour });
      const next = [copy(host, renewed), copies[1] as LoginCopy];
      if (reasons.length > 0) assert.deepEqual(decided(next, known).recipients, []);
    });

  test('a new login that expires earlier is replaced if the provider refused it', () => {
    const copies = [copy(host, long), copy('a', fresh)];
    const answers = { host: me, a: 'refused' } as const;
    assert.deepEqual(decided(copies, knowing(long), answers).recipients, ['a']);
  });

  test("a new login stays in its session if the host's token never expires", () => {
    const static_ = login('static', { refresh: '', expiresMs: Number.MAX_SAFE_INTEGER });
    const copies = [copy(host, static_), copy('a', fresh)];
    const { ask, recipients, known } = decided(copies, knowing(static_), { a: me });
    assert.deepEqual([ask, recipients, known.verdicts[0]?.reason], [[], [], 'apart']);
  });
});

describe('a provider that cannot name the account of a token', () => {
  test('an unverified token is checked again, and its files count for nothing', () => {
    const copies = [copy(host, first), copy('a', second)];
    const { winner, later, known } = decided(copies, knowing(first), { a: 'later' });
    assert.deepEqual([winner, later, known.verdicts], [first, true, []]);
  });

  for (const answer of ['later', 'unreachable'] as const)
    test(`an unverified host token (${answer}) is checked again`, () => {
      const brought: KnownTokens = { ...knowing(first, second), from: 'a' };
      const third = login('third', { expiresMs: nowMs + 3 * hour });
      const { winner, later, known } = decided([copy(host, third)], brought, { host: answer });
      assert.deepEqual([winner, later, known], [undefined, true, brought]);
      const unnamed = { ...nothingKnown, from: undefined };
      const nameless = [copy(host, { ...third, account: undefined }), copy('b', second)];
      const again = decided(nameless, unnamed, { host: answer, b: me });
      assert.deepEqual(
        [again.later, again.known],
        [true, { ...unnamed, given: hashesOf({ ...third, account: undefined }) }],
      );
    });
});

describe('a host renewal of a login that came from a session', () => {
  const brought: KnownTokens = { ...knowing(first, second), account: 'me us', from: 'a' };
  const foreignLogin = login('third', { account: 'them us', expiresMs: nowMs + 3 * hour });
  const answers = { host: { account: 'them us', name: 'them@example.org' } };

  test('a host renewal for another account is not distributed and the user is notified', () => {
    for (const account of ['them us', undefined]) {
      const copies = [copy(host, { ...foreignLogin, account }), copy('b', second)];
      const { winner, recipients, known } = decided(copies, brought, answers);
      assert.deepEqual([winner, recipients, known.verdicts[0]?.reason], [undefined, [], 'changed']);
      assert.equal(known.from, 'a');
    }
  });

  test("a host renewal for another account goes to all if the user's own files name it", () => {
    const copies = [copy(host, foreignLogin), copy('b', second)];
    assert.equal(decided(copies, brought, answers, 'them us').winner, foreignLogin);
  });
});
