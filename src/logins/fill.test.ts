import assert from 'node:assert/strict';
import { readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  a,
  claude,
  credentials,
  home,
  inStore,
  makeLoginHome,
  removeLoginHome,
  write,
} from '../../test/bed/login-home.ts';
import { hostFiles } from '../host/fs/host-files.ts';
import { fillLogins, shouldReplace } from './fill.ts';
import { claudeLogin } from './formats/claude.ts';
import type { Login } from './formats/login.ts';
import { hashOf } from './login-status.ts';
import { type KnownTokens, nothingKnown, type Reason } from './memory.ts';

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
const decided = (one: Login, reason: Reason): KnownTokens => ({
  ...nothingKnown,
  verdicts: [{ session: 'a', hash: hashOf(one), reason, name: undefined }],
});

describe("whether a start replaces a session's login", () => {
  test('a start replaces an unknown login of the session only if it has expired', () => {
    assert.equal(shouldReplace(login('own', nowMs + 1), users, nothingKnown, at), false);
    assert.equal(shouldReplace(login('own', nowMs), users, nothingKnown, at), true);
  });

  test("a start never replaces a login that was found to be the session's own", () => {
    const ended = login('own', nowMs - 1);
    for (const reason of ['other', 'apart', 'unknown', 'offered'] as const)
      assert.equal(shouldReplace(ended, users, decided(ended, reason), at), false, reason);
    assert.equal(shouldReplace(ended, users, decided(ended, 'refused'), at), true);
    const elsewhere = { ...at, session: 'b' };
    assert.equal(shouldReplace(ended, users, decided(ended, 'other'), elsewhere), true);
  });
});

describe('a start with an expired token', () => {
  beforeEach(makeLoginHome);
  afterEach(removeLoginHome);

  test('a start takes a renewal turn even if ~/.coi is a link, and never fails because of it', () => {
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
