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
  asked,
  b,
  begin,
  claude,
  credentials,
  end,
  home,
  inStore,
  keep,
  me,
  plant,
  reasons,
  token,
  tokens,
  write,
} from '../../test/bed/login-home.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { memoryOf } from './copies.ts';
import { opencodeLogin } from './formats/by-provider.ts';

beforeEach(begin);
afterEach(end);

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

  test('with JSON that nests too deeply, or a giant beside it, stops nobody', async () => {
    await keep();
    const deep = `{"x":${'['.repeat(200_000)}${']'.repeat(200_000)},${claude('first').slice(1)}`;
    const big = JSON.stringify({ projects: { x: 'x'.repeat(2 ** 21) } });
    write(inStore(a, credentials), deep);
    write(inStore(a, '.claude/.claude.json'), big);
    write(credentials, claude('second', 9));
    await keep();
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
    assert.equal(readFileSync(join(home, inStore(a, '.claude/.claude.json')), 'utf8'), big);
  });

  test('that has a new login at each look holds up nobody', async () => {
    await keep();
    write(credentials, claude('second', 9));
    let made = 0;
    const answers = new Proxy({}, { get: () => plant(a, claude(`new-${++made}`, 12)) });
    plant(a, claude('new-0', 12));
    assert.equal(await keep(answers), 'later');
    assert.equal(token(inStore(b, credentials)), 'a-second');
  });

  test('does not fill the memory', async () => {
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
      await keep({}, { file });
      assert.ok(memoryOf(file, home, hostFiles).size <= most, text.slice(0, 40));
    }
  });
});
