import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Answer, type Copy, decide, host } from './decide.ts';
import type { Login } from './formats/login.ts';
import { type Known, nothingKnown, withTokens } from './memory.ts';
import { hashesOf, hashOf } from './standing.ts';

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

const copy = (holder: string, one: Login | undefined, blank = false): Copy => ({
  holder,
  login: one,
  blank,
});
const me: Answer = { account: 'me', name: 'me@example.org' };

/** What everybody has is known. */
function knowing(...logins: Login[]): Known {
  const last = logins.at(-1);
  return {
    ...withTokens(nothingKnown, logins.flatMap(hashesOf)),
    current: last && hashOf(last),
    account: 'me',
    from: host,
  };
}

function decided(
  copies: readonly Copy[],
  known: Known = nothingKnown,
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

describe('a renewal in a session', () => {
  const copies = [copy(host, first), copy('a', second), copy('b', first)];

  test('is asked about before anything is done', () => {
    const { ask, winner } = decided(copies, knowing(first));
    assert.deepEqual([ask, winner], [['a'], undefined]);
  });

  test('goes to the host and to the other sessions', () => {
    const { winner, give, known } = decided(copies, knowing(first), { a: me });
    assert.equal(winner, second);
    assert.deepEqual(give, [host, 'b']);
    assert.deepEqual([known.current, known.from], [hashOf(second), 'a']);
  });

  test('goes there by what the files say where the provider cannot be reached', () => {
    assert.equal(decided(copies, knowing(first), { a: 'unreachable' }).winner, second);
    const unnamed = [copy(host, first), copy('a', { ...second, account: undefined })];
    const { winner, known } = decided(unnamed, knowing(first), { a: 'unreachable' });
    assert.equal(winner, first);
    assert.deepEqual(known.verdicts, [], 'it is asked about again');
    const nameless = [copy(host, { ...first, account: undefined }), unnamed[1] as Copy];
    const nobody = { ...knowing(first), account: undefined };
    const answers = { [host]: 'unreachable', a: 'unreachable' } as const;
    assert.equal(decided(nameless, nobody, answers).winner?.expiresMs, second.expiresMs);
  });

  test('goes nowhere where the provider says another account, or refuses it', () => {
    const other: Answer = { account: 'them', name: 'them@example.org' };
    for (const [answer, reason] of [
      [other, 'other'],
      ['refused', 'refused'],
      ['no-question', 'unknown'],
    ] as const) {
      const { winner, give, known } = decided(copies, knowing(first), { a: answer });
      assert.deepEqual([winner, give], [first, []], reason);
      assert.equal(known.verdicts[0]?.reason, reason);
      // Once judged, it is asked about no more.
      assert.deepEqual(decided(copies, known).ask, []);
    }
  });

  test('goes nowhere with a token that has ended, which shows nothing', () => {
    const ended = { ...second, expiresMs: nowMs - 1 };
    const { ask, winner } = decided(
      [copy(host, { ...first, expiresMs: nowMs - hour }), copy('a', ended)],
      knowing(first),
    );
    assert.deepEqual([ask, winner?.refresh], [[], first.refresh]);
  });

  test('goes nowhere with an end that no provider gives, which nothing later could replace', () => {
    const forever = { ...second, expiresMs: nowMs + 49 * hour };
    const { ask, winner } = decided([copy(host, first), copy('a', forever)], knowing(first), {});
    assert.deepEqual([ask, winner], [[], first]);
  });

  test('goes nowhere beside an access token that everybody had', () => {
    const mixed = { ...second, access: first.access };
    const { ask, winner, give, known } = decided([copy(host, first), copy('a', mixed)]);
    assert.deepEqual([ask, winner, give], [[], first, ['a']]);
    assert.equal(known.verdicts[0]?.reason, 'mixed');
  });

  test('is told from the renewal of two at once: the later one stays', () => {
    const third = login('third', { expiresMs: nowMs + 3 * hour });
    const all = [copy(host, first), copy('a', second), copy('b', third)];
    const { winner, give } = decided(all, knowing(first), { a: me, b: me });
    assert.deepEqual([winner, give], [third, [host, 'a']]);
  });
});

describe('the host', () => {
  test('that was renewed or logged in gives its login to the sessions, also of another account', () => {
    for (const mine of [second, { ...second, account: 'my other', expiresMs: nowMs }]) {
      const { winner, give, ask } = decided([copy(host, mine), copy('a', first)], knowing(first));
      assert.deepEqual([winner, give, ask], [mine, ['a'], []]);
    }
  });

  test('that was blanked gets what a session has', () => {
    const { winner, give } = decided(
      [copy(host, undefined, true), copy('a', first)],
      knowing(first),
    );
    assert.deepEqual([winner, give], [first, [host]]);
    const renewed = [copy(host, undefined, true), copy('a', second)];
    assert.deepEqual(decided(renewed, knowing(first), { a: me }).give, [host]);
  });

  test('without a login gets none; the session’s is offered', () => {
    const { winner, give, known } = decided(
      [copy(host, undefined), copy('a', second)],
      nothingKnown,
      { a: me },
    );
    assert.deepEqual([winner, give], [undefined, []]);
    assert.deepEqual(
      known.verdicts.map(({ session, reason }) => [session, reason]),
      [['a', 'offered']],
    );
  });

  test('with a login that everybody had before gets the present one', () => {
    const { winner, give } = decided(
      [copy(host, first), copy('a', second)],
      knowing(first, second),
    );
    assert.deepEqual([winner, give], [second, [host]]);
  });

  test('whose renewal shows that a session had brought somebody else’s loses it', () => {
    const brought: Known = { ...knowing(first, second), from: 'a' };
    const third = login('third', { expiresMs: nowMs + 3 * hour });
    const copies = [copy(host, third), copy('a', second)];
    assert.deepEqual(decided(copies, brought).ask, [host]);
    const bad = decided(copies, brought, { host: { account: 'them', name: undefined } });
    assert.deepEqual([bad.swapped, bad.give, bad.known.verdicts[0]?.reason], [true, [], 'swapped']);
    assert.equal(decided(copies, brought, { host: me }).winner, third);
  });
});

describe('a session', () => {
  test('with a blank or older login gets the present one', () => {
    const copies = [
      copy(host, second),
      copy('a', undefined, true),
      copy('b', first),
      copy('c', undefined),
    ];
    assert.deepEqual(decided(copies, knowing(first, second)).give, ['a', 'b', 'c']);
  });

  test('keeps the login of another account, and a key that was typed in', () => {
    const foreign = login('foreign', { account: 'them', expiresMs: nowMs + hour / 2 });
    const key = login('key', { refresh: '', account: undefined });
    const { give, known } = decided(
      [copy(host, first), copy('a', foreign), copy('b', key)],
      knowing(first),
      { a: { account: 'them', name: 'them@example.org' } },
    );
    assert.deepEqual(give, []);
    assert.deepEqual(
      known.verdicts.map(({ name }) => name),
      ['them@example.org'],
    );
  });
});

describe('a fresh login that ends sooner than the user’s', () => {
  const long = login('long', { expiresMs: nowMs + 9 * hour });
  const fresh = login('fresh', { expiresMs: nowMs + hour });
  const other: Answer = { account: 'them', name: undefined };

  test('is asked about, as is the user’s', () => {
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
    test(`is not lost where the provider says ${JSON.stringify(answers)}`, () => {
      const copies = [copy(host, long), copy('a', fresh)];
      const { winner, give, known } = decided(copies, knowing(long), answers);
      assert.deepEqual([winner, give], wins ? [fresh, [host]] : [long, []]);
      assert.deepEqual(
        known.verdicts.map(({ reason }) => reason),
        reasons,
      );
      // A later renewal of the user's changes nothing of it.
      const next = [copy(host, login('next', { expiresMs: nowMs + 20 * hour })), copies[1] as Copy];
      if (reasons.length > 0) assert.deepEqual(decided(next, known).give, []);
    });

  test('is replaced where the provider refused it', () => {
    const copies = [copy(host, long), copy('a', fresh)];
    const answers = { host: me, a: 'refused' } as const;
    assert.deepEqual(decided(copies, knowing(long), answers).give, ['a']);
  });

  test('stays in the session beside a token of the host’s that never ends', () => {
    const static_ = login('static', { refresh: '', expiresMs: Number.MAX_SAFE_INTEGER });
    const copies = [copy(host, static_), copy('a', fresh)];
    const { ask, give, known } = decided(copies, knowing(static_), { a: me });
    assert.deepEqual([ask, give, known.verdicts[0]?.reason], [[], [], 'apart']);
  });
});

describe('a provider that does not say whose a token is', () => {
  test('is asked again, and what the files say counts for nothing', () => {
    const copies = [copy(host, first), copy('a', second)];
    const { winner, later, known } = decided(copies, knowing(first), { a: 'later' });
    assert.deepEqual([winner, later, known.verdicts], [first, true, []]);
  });

  for (const answer of ['later', 'unreachable'] as const)
    test(`about the host’s (${answer}) leaves it to be asked about`, () => {
      const brought: Known = { ...knowing(first, second), from: 'a' };
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

describe('what the host renewed of a login that a session had brought', () => {
  const brought: Known = { ...knowing(first, second), account: 'me us', from: 'a' };
  const theirs = login('third', { account: 'them us', expiresMs: nowMs + 3 * hour });
  const answers = { host: { account: 'them us', name: 'them@example.org' } };

  test('goes nowhere where it is somebody else’s, and the user is told', () => {
    for (const account of ['them us', undefined]) {
      const copies = [copy(host, { ...theirs, account }), copy('b', second)];
      const { winner, give, known } = decided(copies, brought, answers);
      assert.deepEqual([winner, give, known.verdicts[0]?.reason], [undefined, [], 'changed']);
      assert.equal(known.from, 'a');
    }
  });

  test('goes to all where the user’s own files name the other account', () => {
    const copies = [copy(host, theirs), copy('b', second)];
    assert.equal(decided(copies, brought, answers, 'them us').winner, theirs);
  });
});
