import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseAnswer } from './ask-provider.ts';
import { opencodeLogin, piLogin } from './formats/by-provider.ts';
import { claudeLogin } from './formats/claude.ts';
import { codexLogin } from './formats/codex.ts';
import { geminiLogin } from './formats/gemini.ts';
import { loginFiles } from './formats/list.ts';
import type { LoginFile } from './formats/login.ts';
import { parseMemory } from './memory.ts';
import { staggerExpiry } from './stagger.ts';

const jwt = (claims: object) =>
  ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'sig'].join('.');
const openai = jwt({
  exp: 2_000_000_000,
  'https://api.openai.com/auth': { chatgpt_account_id: 'acc', chatgpt_user_id: 'user' },
  'https://api.openai.com/profile': { email: 'me@example.org' },
});

/** For each tool its login file and the one login in it. */
const samples: readonly { file: LoginFile; id: string; text: object; account?: string }[] = [
  {
    file: claudeLogin,
    id: 'claude.ai',
    text: {
      mcpOAuth: { server: { accessToken: 'x' } },
      claudeAiOauth: {
        accessToken: 'access',
        refreshToken: 'refresh',
        expiresAt: 2_000_000_000_000,
        scopes: ['user:inference'],
        subscriptionType: 'max',
        rateLimitTier: null,
      },
    },
  },
  {
    file: codexLogin,
    id: 'chatgpt',
    account: 'user acc',
    text: {
      OPENAI_API_KEY: null,
      tokens: {
        id_token: 'a.b.c',
        access_token: openai,
        refresh_token: 'refresh',
        account_id: 'acc',
      },
      last_refresh: '2026-01-01T00:00:00Z',
    },
  },
  {
    file: opencodeLogin,
    id: 'openai',
    account: 'user acc',
    text: {
      anthropic: { type: 'api', key: 'sk-1' },
      openai: { type: 'oauth', refresh: 'refresh', access: openai, expires: 2_000_000_000_000 },
    },
  },
  {
    file: piLogin,
    id: 'anthropic',
    text: {
      anthropic: {
        type: 'oauth',
        refresh: 'refresh',
        access: 'access',
        expires: 2_000_000_000_000,
      },
    },
  },
  {
    file: geminiLogin,
    id: 'google',
    account: 'sub',
    text: {
      access_token: 'access',
      refresh_token: 'refresh',
      expiry_date: 2_000_000_000_000,
      id_token: jwt({ sub: 'sub', email: 'me@example.org' }),
      token_type: 'Bearer',
    },
  },
];

describe('login files', () => {
  for (const { file, id, text, account } of samples) {
    const main = JSON.stringify(text);
    const found = file.read({ main }).logins.get(id);

    test(`${file.tool}: a login file is read and written without loss`, () => {
      assert.ok(found);
      assert.deepEqual([found.refresh, found.expiresMs], ['refresh', 2_000_000_000_000]);
      assert.equal(found.account, account);
      assert.deepEqual(JSON.parse(file.put(main, found)), JSON.parse(main));
    });

    test(`${file.tool}: other content of a login file stays when a login is added or removed`, () => {
      assert.ok(found);
      const other = { ...JSON.parse(main), more: { kept: true } };
      const put = JSON.parse(file.put(JSON.stringify(other), found));
      if (file !== geminiLogin) assert.deepEqual(put, other);
      assert.equal(file.read({ main: file.drop(main, id) }).logins.has(id), false);
      assert.ok(file.read({ main: file.put('no json', found) }).logins.has(id));
    });

    test(`${file.tool}: empty tokens are blank, not a login`, () => {
      const blanked = main.replaceAll(
        /"(refresh|access|accessToken|refreshToken|refresh_token)":"[^"]*"/g,
        '"$1":""',
      );
      const read = file.read({ main: blanked });
      assert.deepEqual([read.logins.has(id), read.blank.has(id)], [false, true]);
    });
  }

  test('malformed login files contain no login, and reading them never throws', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc.object().map((one) => JSON.stringify(one)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...loginFiles), anything, anything, (file, main, account) => {
        const { logins } = file.read({ main, account });
        for (const login of logins.values()) assert.ok(login.access !== '' || login.refresh !== '');
        parseMemory(main);
      }),
    );
  });

  test('malformed tokens in a login file are treated as blank', () => {
    for (const token of ['a b', 'a\nb', 'ä', 'x'.repeat(20_000), 7, {}]) {
      const own = { accessToken: token, refreshToken: 'r', expiresAt: 1 };
      const main = JSON.stringify({ claudeAiOauth: own });
      assert.deepEqual([...claudeLogin.read({ main }).blank], ['claude.ai']);
    }
  });

  test("only login fields are taken from Claude's files", () => {
    const own = {
      accessToken: 'a',
      refreshToken: 'r',
      expiresAt: 1,
      scopes: [],
      hook: { run: 'x' },
    };
    const main = JSON.stringify({ claudeAiOauth: own });
    const account = JSON.stringify({ oauthAccount: { accountUuid: 'me', hooks: { run: 'x' } } });
    const login = claudeLogin.read({ main, account }).logins.get('claude.ai');
    assert.ok(!JSON.stringify([login?.value, login?.profile]).includes('run'));
    assert.equal(login?.account, 'me ');
  });
});

describe('login providers', () => {
  const login = claudeLogin
    .read({ main: JSON.stringify(samples[0]?.text) })
    .logins.get('claude.ai');
  const question = login && claudeLogin.question(login);
  const answered = (status: number, body: object | string) =>
    question &&
    parseAnswer(question, {
      kind: 'answered',
      status,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  test("a provider's answer names an account, refuses the token, or is inconclusive", () => {
    const whose = {
      account: { uuid: 'me', email: 'me@example.org' },
      organization: { uuid: 'us' },
    };
    assert.deepEqual(answered(200, whose), { account: 'me us', name: 'me@example.org' });
    assert.equal(answered(401, {}), 'refused');
    assert.equal(answered(403, { error: 'revoked' }), 'refused');
    for (const [status, body] of [
      [403, '<html>'],
      [200, {}],
      [200, 'x'],
      [500, {}],
      [429, {}],
      [400, {}],
      [431, ''],
    ] as const)
      assert.equal(answered(status, body), 'later');
  });
});

describe('token expiry shown to sessions', () => {
  const login = claudeLogin
    .read({ main: JSON.stringify(samples[0]?.text) })
    .logins.get('claude.ai');
  const at = (session: string, nowMs: number) =>
    login && staggerExpiry(claudeLogin, login, session, nowMs);
  const endMs = 2_000_000_000_000;

  test("a session's token expiry is never later than the real one, nor early enough to trigger a renewal", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: -10, max: 20 * 60 }), (session, minutes) => {
        const nowMs = endMs - minutes * 60_000;
        const reported = at(session, nowMs);
        assert.ok(reported && reported.expiresMs <= endMs);
        if (minutes >= 6) assert.ok(reported.expiresMs - nowMs >= 6 * 60_000);
        else assert.equal(reported.expiresMs, endMs);
        assert.equal(reported.value['expiresAt'], reported.expiresMs);
      }),
    );
  });

  test('token expiries differ between sessions by more than the time to distribute a renewal', () => {
    const ends = Array.from(
      { length: 8 },
      (_, index) => at(`session ${index}`, endMs - 8 * 3_600_000)?.expiresMs ?? 0,
    );
    const sorted = ends.toSorted((a, b) => a - b);
    for (const [index, end] of sorted.slice(1).entries())
      assert.ok(end - (sorted[index] ?? 0) >= 5000);
  });
});
