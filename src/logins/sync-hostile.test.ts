import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  a,
  askedTokens,
  b,
  claude,
  credentials,
  home,
  inStore,
  makeLoginHome,
  me,
  plant,
  reasons,
  removeLoginHome,
  syncLogins,
  token,
  tokens,
  write,
} from '../../test/bed/login-home.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { loadMemory } from './copies.ts';
import { opencodeLogin } from './formats/by-provider.ts';

beforeEach(makeLoginHome);
afterEach(removeLoginHome);

describe('a hostile session', () => {
  test("a session cannot pass off another account as the user's", async () => {
    await syncLogins();
    plant(a, claude('theirs', 9));
    await syncLogins({ 'a-theirs': { account: 'them us', name: 'them@example.org' } });
    assert.deepEqual(tokens(), ['a-first', 'a-theirs', 'a-first']);
    assert.deepEqual(reasons(), ['other']);
  });

  test("a session's files cannot claim that a login is another account's, or rename the user's", async () => {
    plant(a, claude('theirs', 9), 'them');
    await syncLogins({ 'a-theirs': { account: 'them us', name: undefined } });
    assert.equal(token(credentials), 'a-first');
    plant(a, claude('second', 9), 'them');
    await syncLogins({ 'a-second': me });
    assert.equal(token(credentials), 'a-second');
    assert.match(readFileSync(join(home, '.claude.json'), 'utf8'), /"me"/);
    assert.match(readFileSync(join(home, inStore(b, '.claude/.claude.json')), 'utf8'), /"me"/);
  });

  test("a session cannot pair the user's access token with its own refresh token", async () => {
    await syncLogins();
    const pair = JSON.parse(claude('first', 9));
    pair.claudeAiOauth.refreshToken = 'r-theirs';
    plant(a, JSON.stringify(pair));
    await syncLogins({ 'a-first': me });
    assert.deepEqual([askedTokens, reasons()], [[], ['mixed']]);
    assert.ok(!readFileSync(join(home, credentials), 'utf8').includes('theirs'));
  });

  test("a session's login is withdrawn when a renewal shows that it was another user's", async () => {
    await syncLogins();
    plant(a, claude('half', 8));
    await syncLogins({ 'a-half': me });
    write(credentials, claude('renewed', 16));
    await syncLogins({ 'a-renewed': { account: 'them us', name: undefined } });
    assert.equal(token(credentials), undefined);
    assert.deepEqual(reasons(), ['swapped']);
    assert.equal(token(inStore(b, credentials)), 'a-half');
  });

  test('a link, FIFO or giant as a login file neither redirects, blocks nor exhausts the sync', async () => {
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
      await syncLogins({ 'a-precious': me });
      assert.deepEqual(tokens(), ['a-first', 'a-first', 'a-first']);
      assert.ok(lstatSync(path).isFile());
    }
    assert.equal(token('precious'), 'a-precious');
    assert.deepEqual(askedTokens, []);
    rmSync(path);
    mkdirSync(path);
    write(credentials, claude('second', 8));
    await syncLogins();
    assert.equal(token(inStore(b, credentials)), 'a-second', 'the others get theirs');
  });

  test('deeply nested JSON and a giant next to it do not block the login sync', async () => {
    await syncLogins();
    const deep = `{"x":${'['.repeat(200_000)}${']'.repeat(200_000)},${claude('first').slice(1)}`;
    const big = JSON.stringify({ projects: { x: 'x'.repeat(2 ** 21) } });
    write(inStore(a, credentials), deep);
    write(inStore(a, '.claude/.claude.json'), big);
    write(credentials, claude('second', 9));
    await syncLogins();
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
    assert.equal(readFileSync(join(home, inStore(a, '.claude/.claude.json')), 'utf8'), big);
  });

  test('a session with a new login in every pass does not delay others', async () => {
    await syncLogins();
    write(credentials, claude('second', 9));
    let made = 0;
    const answers = new Proxy({}, { get: () => plant(a, claude(`new-${++made}`, 12)) });
    plant(a, claude('new-0', 12));
    assert.equal(await syncLogins(answers), 'later');
    assert.equal(token(inStore(b, credentials)), 'a-second');
  });

  test('a hostile session does not exhaust memory', async () => {
    const file = opencodeLogin;
    const at = (session: string) => `.coi/sessions-opencode/${session}/${file.path}`;
    const entry = (refresh: string) => ({
      type: 'oauth',
      access: 'a',
      refresh,
      expires: Date.now() + 9e6,
    });
    const many = (of: (n: number) => unknown) =>
      JSON.stringify(
        Object.fromEntries(Array.from({ length: 9000 }, (_, n) => [`id-${n}`, of(n)])),
      );
    for (const [text, most] of [
      [many(() => 0), 0],
      [many((n) => entry(`r-${n}`)), 50],
      [JSON.stringify({ ['x'.repeat(1000)]: entry('r'), 'a\nb': entry('r') }), 50],
    ] as const) {
      write(at(a), text);
      await syncLogins({}, { file });
      assert.ok(loadMemory(file, home, hostFiles).size <= most, text.slice(0, 40));
    }
  });
});
