// A host with a login and no `~/.claude.json`, as where only the login was copied to it.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  a,
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
  wantedOf,
  write,
} from '../../test/bed/login-home.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { fillLogins } from './fill.ts';
import { claudeLogin } from './formats/claude.ts';

beforeEach(begin);
afterEach(end);

describe('a host that names no account, with a token that has ended', () => {
  beforeEach(() => {
    rmSync(join(home, '.claude.json'));
    write(credentials, claude('first', -1));
    for (const session of [a, b]) plant(session, claude('first', -1));
  });
  /** What the session's own file says of the account counts for nothing here: an agent wrote it. */
  const renewedBy = (session: string, name: string, hours: number) =>
    plant(session, claude(name, hours));

  test('gets no renewal of a session by itself: nobody can say that it is the user’s', async () => {
    renewedBy(a, 'second', 8);
    assert.equal(await keep({ 'a-second': me }), 'done');
    assert.deepEqual([tokens(), reasons()], [['a-first', 'a-second', 'a-first'], ['unknown']]);
    renewedBy(a, 'third', 9);
    await keep({ 'a-third': me });
    assert.deepEqual([tokens(), reasons()], [['a-first', 'a-third', 'a-first'], ['unknown']]);
  });

  test('gets them from the user’s word on, of that account only', async () => {
    renewedBy(a, 'second', 8);
    await keep({ 'a-second': me });
    await keep({ 'a-second': me }, { wanted: wantedOf(a) });
    await keep({ 'a-second': me });
    assert.deepEqual([tokens(), reasons()], [['a-second', 'a-second', 'a-second'], []]);
    renewedBy(b, 'third', 9);
    await keep({ 'a-second': me, 'a-third': me });
    assert.deepEqual([tokens(), reasons()], [['a-third', 'a-third', 'a-third'], []]);
    renewedBy(a, 'other', 10);
    await keep({ 'a-other': { account: 'other us', name: 'x' } });
    assert.deepEqual([tokens(), reasons()], [['a-third', 'a-other', 'a-third'], ['other']]);
  });

  test('gets them as soon as it has renewed its own once', async () => {
    write(credentials, claude('second', 8));
    await keep({ 'a-second': me });
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
    renewedBy(b, 'third', 9);
    await keep({ 'a-second': me, 'a-third': me });
    assert.deepEqual([tokens(), reasons()], [['a-third', 'a-third', 'a-third'], []]);
  });
});

describe('a host that names no account, with a provider that does not answer', () => {
  beforeEach(() => {
    rmSync(join(home, '.claude.json'));
  });

  /** What a start gives the session. */
  function started(): string | undefined {
    using store = hostFiles.open(join(home, '.coi/sessions-claude', a));
    assert.ok(store);
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const nowMs = Date.now();
    fillLogins(
      { file: claudeLogin, home, session: a, store, copied: false, owner, nowMs },
      hostFiles,
    );
    return token(inStore(a, credentials));
  }

  test('has its login of before replaced in a session, by a start as by the keeper', async () => {
    const silent = { 'a-first': 'unreachable', 'a-second': 'unreachable' } as const;
    assert.equal(await keep(silent), 'later');
    write(credentials, claude('second', 2));
    assert.equal(started(), 'a-second');
    plant(a, claude('first'));
    assert.equal(await keep(silent), 'later');
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
  });

  test('still has its own login asked about until somebody answers', async () => {
    await keep({ 'a-first': 'unreachable' });
    assert.equal(await keep({ 'a-first': me }), 'done');
    const memory = readFileSync(join(home, '.coi/logins/claude.json'), 'utf8');
    assert.match(memory, /"account": "me us"/);
  });
});
