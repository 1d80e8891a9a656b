// A host with a login and no `~/.claude.json`, for example if only the login was copied to it.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  a,
  b,
  claude,
  confirmedLogin,
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
import { fillLogins } from './fill.ts';
import { claudeLogin } from './formats/claude.ts';

beforeEach(makeLoginHome);
afterEach(removeLoginHome);

describe('an unnamed host account with an expired token', () => {
  beforeEach(() => {
    rmSync(join(home, '.claude.json'));
    write(credentials, claude('first', -1));
    for (const session of [a, b]) plant(session, claude('first', -1));
  });
  /** The account in the session's own file is ignored here: an agent wrote it. */
  const renewedBy = (session: string, name: string, hours: number) =>
    plant(session, claude(name, hours));

  test("a session's renewal is not used for an unnamed host account without the user's confirmation", async () => {
    renewedBy(a, 'second', 8);
    assert.equal(await syncLogins({ 'a-second': me }), 'done');
    assert.deepEqual([tokens(), reasons()], [['a-first', 'a-second', 'a-first'], ['unknown']]);
    renewedBy(a, 'third', 9);
    await syncLogins({ 'a-third': me });
    assert.deepEqual([tokens(), reasons()], [['a-first', 'a-third', 'a-first'], ['unknown']]);
  });

  test('after confirmation an unnamed host gets renewals, of that account only', async () => {
    renewedBy(a, 'second', 8);
    await syncLogins({ 'a-second': me });
    await syncLogins({ 'a-second': me }, { confirmed: confirmedLogin(a) });
    await syncLogins({ 'a-second': me });
    assert.deepEqual([tokens(), reasons()], [['a-second', 'a-second', 'a-second'], []]);
    renewedBy(b, 'third', 9);
    await syncLogins({ 'a-second': me, 'a-third': me });
    assert.deepEqual([tokens(), reasons()], [['a-third', 'a-third', 'a-third'], []]);
    renewedBy(a, 'other', 10);
    await syncLogins({ 'a-other': { account: 'other us', name: 'x' } });
    assert.deepEqual([tokens(), reasons()], [['a-third', 'a-other', 'a-third'], ['other']]);
  });

  test('an unnamed host gets renewals once it has renewed its own login', async () => {
    write(credentials, claude('second', 8));
    await syncLogins({ 'a-second': me });
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
    renewedBy(b, 'third', 9);
    await syncLogins({ 'a-second': me, 'a-third': me });
    assert.deepEqual([tokens(), reasons()], [['a-third', 'a-third', 'a-third'], []]);
  });
});

describe('an unnamed host account with an unreachable provider', () => {
  beforeEach(() => {
    rmSync(join(home, '.claude.json'));
  });

  /** The login that a start puts into the session. */
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

  test('an outdated login of an unnamed host is replaced in a session, by a start and by the sync', async () => {
    const silent = { 'a-first': 'unreachable', 'a-second': 'unreachable' } as const;
    assert.equal(await syncLogins(silent), 'later');
    write(credentials, claude('second', 2));
    assert.equal(started(), 'a-second');
    plant(a, claude('first'));
    assert.equal(await syncLogins(silent), 'later');
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
  });

  test("an unnamed host's login is checked until the provider answers", async () => {
    await syncLogins({ 'a-first': 'unreachable' });
    assert.equal(await syncLogins({ 'a-first': me }), 'done');
    const memory = readFileSync(join(home, '.coi/logins/claude.json'), 'utf8');
    assert.match(memory, /"account": "me us"/);
  });
});
