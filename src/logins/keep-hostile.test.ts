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
});
