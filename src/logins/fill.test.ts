import assert from 'node:assert/strict';
import { readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  a,
  begin,
  claude,
  credentials,
  end,
  home,
  inStore,
  write,
} from '../../test/bed/login-home.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { fillLogins, isReplaced } from './fill.ts';
import { claudeLogin } from './formats/claude.ts';
import type { Login } from './formats/login.ts';
import { type Known, nothingKnown, type Reason } from './memory.ts';
import { hashOf } from './standing.ts';

const nowMs = 1_000_000;
const login = (name: string, expiresMs: number): Login => ({
  id: 'x',
  refresh: `r-${name}`,
  access: `a-${name}`,
  expiresMs,
  account: undefined,
  name: undefined,
  value: {},
});
const users = login('users', nowMs + 9000);
const at = { session: 'a', nowMs };
const judged = (one: Login, reason: Reason): Known => ({
  ...nothingKnown,
  verdicts: [{ session: 'a', hash: hashOf(one), reason, name: undefined }],
});

describe('a start replaces what the session has', () => {
  test('only where that has ended, if it was never seen', () => {
    assert.equal(isReplaced(login('own', nowMs + 1), users, nothingKnown, at), false);
    assert.equal(isReplaced(login('own', nowMs), users, nothingKnown, at), true);
  });

  test('never where it was found to be the session’s own', () => {
    const ended = login('own', nowMs - 1);
    for (const reason of ['other', 'apart', 'unknown', 'offered'] as const)
      assert.equal(isReplaced(ended, users, judged(ended, reason), at), false, reason);
    assert.equal(isReplaced(ended, users, judged(ended, 'refused'), at), true);
    const elsewhere = { ...at, session: 'b' };
    assert.equal(isReplaced(ended, users, judged(ended, 'other'), elsewhere), true);
  });
});

describe('a start with an ended token', () => {
  beforeEach(begin);
  afterEach(end);

  test('takes its turn where ~/.coi is a link, and never fails for it', () => {
    renameSync(join(home, '.coi'), join(home, 'elsewhere'));
    symlinkSync('elsewhere', join(home, '.coi'));
    write(credentials, claude('ended', -1));
    rmSync(join(home, inStore(a, credentials)));
    using store = hostFiles.open(join(home, '.coi/sessions-claude', a));
    assert.ok(store);
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const common = { file: claudeLogin, home, session: a, store, copied: false, owner };
    const start = () => fillLogins({ ...common, nowMs: Date.now() }, hostFiles);
    assert.ok(start().has);
    assert.equal(readdirSync(join(home, 'elsewhere/logins/turns')).length, 1);
    rmSync(join(home, 'elsewhere/logins'), { recursive: true });
    writeFileSync(join(home, 'elsewhere/logins'), '');
    assert.ok(start().has);
  });
});
