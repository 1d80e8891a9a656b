import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { hostFiles } from '../host/files.ts';
import { claudeLogin } from './claude.ts';
import { memoryOf } from './copies.ts';
import type { Answer } from './decide.ts';
import { type KeepRequest, keepLogins } from './keep.ts';
import type { Question } from './login.ts';

const hourMs = 3_600_000;
const [a, b] = ['aaaaaaaa-1111-4111-8111-111111111111', 'bbbbbbbb-1111-4111-8111-111111111111'];
const credentials = '.claude/.credentials.json';
const me = { account: 'me us', name: 'me@example.org' };
let home = '';
let asked: string[] = [];

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'coit-logins-')));
  asked = [];
  write(credentials, claude('first'));
  write('.claude.json', profile('me'));
  for (const session of [a, b]) plant(session, claude('first'));
});
afterEach(() => rmSync(home, { recursive: true }));

function claude(name: string, hours = 1): string {
  const expiresAt = Math.round(Date.now() + hours * hourMs);
  return JSON.stringify({
    claudeAiOauth: { accessToken: `a-${name}`, refreshToken: `r-${name}`, expiresAt, scopes: [] },
  });
}

function profile(account: string): string {
  const oauthAccount = { accountUuid: account, organizationUuid: 'us', flags: { kept: true } };
  return JSON.stringify({ oauthAccount, projects: { '/x': {} } });
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
}

const inStore = (session: string, path: string) => `.coi/sessions-claude/${session}/${path}`;

function plant(session: string, text: string, account = 'me'): void {
  write(inStore(session, credentials), text);
  write(inStore(session, '.claude/.claude.json'), profile(account));
}

/** The access token in a file of the home. */
function token(path: string): string | undefined {
  const text = existsSync(join(home, path)) ? readFileSync(join(home, path), 'utf8') : '{}';
  return JSON.parse(text).claudeAiOauth?.accessToken;
}

const tokens = () => [credentials, inStore(a, credentials), inStore(b, credentials)].map(token);

/** Keeps, where the provider answers that for each access token. */
function keep(answers: Readonly<Record<string, Answer>> = {}, more: Partial<KeepRequest> = {}) {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const request = { file: claudeLogin, home, owner, live: [a, b], ended: [], ...more };
  return keepLogins(request, {
    files: hostFiles,
    ask: async ({ headers }: Question) => {
      const access = headers['authorization']?.replace('Bearer ', '') ?? '';
      asked.push(access);
      return answers[access] ?? 'refused';
    },
    now: () => new Date(),
    whileAlone: async (effect) => effect(),
    pause: async () => undefined,
  });
}

const reasons = () =>
  [...memoryOf(claudeLogin, home, hostFiles).values()].flatMap(({ verdicts }) =>
    verdicts.map(({ reason }) => reason),
  );

describe('a renewal in a session', () => {
  test('is everywhere after the provider was asked once', async () => {
    await keep();
    plant(a, claude('second', 8));
    await keep({ 'a-second': me });
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
    await keep();
    assert.deepEqual(asked, ['a-second']);
  });

  test('changes nothing else of the user’s files, which nobody else may read', async () => {
    write(credentials, JSON.stringify({ mcpOAuth: { x: 1 }, ...JSON.parse(claude('first')) }));
    const before = readFileSync(join(home, '.claude.json'), 'utf8');
    plant(a, JSON.stringify({ mcpOAuth: { planted: 1 }, ...JSON.parse(claude('second', 8)) }));
    await keep({ 'a-second': me });
    const { mcpOAuth } = JSON.parse(readFileSync(join(home, credentials), 'utf8'));
    assert.deepEqual(mcpOAuth, { x: 1 });
    assert.equal(readFileSync(join(home, '.claude.json'), 'utf8'), before);
    assert.equal(statSync(join(home, credentials)).mode & 0o777, 0o600);
    assert.ok(!readFileSync(join(home, inStore(b, credentials)), 'utf8').includes('mcpOAuth'));
  });

  test('goes where the user’s link leads', async () => {
    mkdirSync(join(home, 'dotfiles'));
    write('dotfiles/login.json', claude('first'));
    rmSync(join(home, credentials));
    symlinkSync('../dotfiles/login.json', join(home, credentials));
    plant(a, claude('second', 8));
    await keep({ 'a-second': me });
    assert.ok(lstatSync(join(home, credentials)).isSymbolicLink());
    assert.equal(token('dotfiles/login.json'), 'a-second');
  });

  test('of a session that has ended is taken, and that session gets nothing', async () => {
    plant(b, claude('second', 8));
    await keep({ 'a-second': me }, { live: [a], ended: [b] });
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
    write(credentials, claude('third', 9));
    await keep({}, { live: [a], ended: [b] });
    assert.deepEqual(tokens(), ['a-third', 'a-third', 'a-second']);
  });

  test('waits while Claude on the host holds its lock, and not for one that was left', async () => {
    const lock = join(home, '.claude/.oauth_refresh.lock');
    plant(a, claude('second', 8));
    mkdirSync(lock);
    assert.equal(await keep({ 'a-second': me }), 'busy');
    assert.equal(token(credentials), 'a-first');
    utimesSync(lock, 0, 0);
    assert.equal(await keep({ 'a-second': me }), 'done');
    assert.equal(token(credentials), 'a-second');
    assert.equal(existsSync(lock), false);
  });
});

describe('a hostile session', () => {
  test('does not bring another account under the name of the user’s', async () => {
    await keep();
    plant(a, claude('theirs', 9));
    await keep({ 'a-theirs': { account: 'them us', name: 'them@example.org' } });
    assert.deepEqual(tokens(), ['a-first', 'a-theirs', 'a-first']);
    assert.deepEqual(reasons(), ['other']);
  });

  test('does not bring what its files say belongs to another account, nor a name for the user’s', async () => {
    plant(a, claude('theirs', 9), 'them');
    await keep({ 'a-theirs': { account: 'them us', name: undefined } });
    assert.equal(token(credentials), 'a-first');
    plant(a, claude('second', 9), 'them');
    await keep({ 'a-second': me });
    assert.equal(token(credentials), 'a-second');
    assert.match(readFileSync(join(home, '.claude.json'), 'utf8'), /"me"/);
    assert.match(readFileSync(join(home, inStore(b, '.claude/.claude.json')), 'utf8'), /"me"/);
  });

  test('does not pair the user’s access token with a refresh token of its own', async () => {
    await keep();
    const pair = JSON.parse(claude('first', 9));
    pair.claudeAiOauth.refreshToken = 'r-theirs';
    plant(a, JSON.stringify(pair));
    await keep({ 'a-first': me });
    assert.deepEqual([asked, reasons()], [[], ['mixed']]);
    assert.ok(!readFileSync(join(home, credentials), 'utf8').includes('theirs'));
  });

  test('loses what it had brought when a renewal shows that it was another’s', async () => {
    await keep();
    plant(a, claude('half', 8));
    await keep({ 'a-half': me });
    write(credentials, claude('renewed', 16));
    await keep({ 'a-renewed': { account: 'them us', name: undefined } });
    assert.equal(token(credentials), undefined);
    assert.deepEqual(reasons(), ['swapped']);
    assert.equal(token(inStore(b, credentials)), 'a-half');
  });

  test('leads nobody out by a link, stops nobody by a FIFO, fills nobody by a giant', async () => {
    write('precious', claude('precious', 9));
    const path = join(home, inStore(a, credentials));
    const plants = [
      () => symlinkSync(join(home, 'precious'), path),
      () => execFileSync('mkfifo', [path]),
      () => {
        writeFileSync(path, '');
        truncateSync(path, 2 ** 36);
      },
    ];
    for (const planted of plants) {
      rmSync(path);
      planted();
      await keep({ 'a-precious': me });
      assert.deepEqual(tokens(), ['a-first', 'a-first', 'a-first']);
      assert.ok(lstatSync(path).isFile());
    }
    assert.equal(token('precious'), 'a-precious');
    assert.deepEqual(asked, []);
    rmSync(path);
    mkdirSync(path);
    write(credentials, claude('second', 8));
    await keep();
    assert.equal(token(inStore(b, credentials)), 'a-second', 'the others get theirs');
  });
});

describe('the host', () => {
  test('gives what it renewed, with the account where that is another', async () => {
    await keep();
    write(credentials, claude('second', 8));
    write('.claude.json', profile('my other'));
    await keep();
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
    const account = readFileSync(join(home, inStore(a, '.claude/.claude.json')), 'utf8');
    assert.match(account, /my other/);
    assert.match(account, /projects/);
  });

  test('whose file is broken is left alone', async () => {
    for (const path of [credentials, '.claude.json']) {
      write(path, '{"half":');
      plant(a, claude('second', 8));
      await keep({ 'a-second': me });
      assert.equal(readFileSync(join(home, path), 'utf8'), '{"half":');
    }
  });

  test('with a blanked login gets the renewed one of its account', async () => {
    await keep();
    const blank = { claudeAiOauth: { accessToken: '', refreshToken: '', expiresAt: 0 } };
    write(credentials, JSON.stringify(blank));
    plant(a, claude('second', 8));
    await keep({ 'a-second': me });
    assert.equal(token(credentials), 'a-second');
  });

  test('without a login gets a session’s only on the user’s word', async () => {
    rmSync(join(home, credentials));
    write('.claude.json', '{"theme":"dark"}');
    await keep({ 'a-first': me });
    assert.equal(token(credentials), undefined);
    assert.deepEqual(reasons(), ['offered', 'offered']);
    await keep({}, { wanted: { session: a, id: 'claude.ai' } });
    assert.equal(token(credentials), 'a-first');
    const account = JSON.parse(readFileSync(join(home, '.claude.json'), 'utf8'));
    assert.deepEqual([account.theme, account.oauthAccount.accountUuid], ['dark', 'me']);
    assert.deepEqual(reasons(), []);
  });
});
