import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  a,
  askedTokens,
  b,
  claude,
  confirmedLogin,
  credentials,
  home,
  inStore,
  makeLoginHome,
  me,
  plant,
  profile,
  reasons,
  removeLoginHome,
  syncLogins,
  token,
  tokens,
  write,
} from '../../test/bed/login-home.ts';
import { FileError, type HostFiles, hostFiles } from '../host/fs/host-files.ts';
import { readHostLogins } from './copies.ts';
import { fillLogins } from './fill.ts';
import { claudeLogin } from './formats/claude.ts';
import type { Login } from './formats/login.ts';

beforeEach(makeLoginHome);
afterEach(removeLoginHome);

describe('a login renewed in a session', () => {
  test('a login renewed in a session is everywhere after one question to the provider', async () => {
    await syncLogins();
    plant(a, claude('second', 8));
    await syncLogins({ 'a-second': me });
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
    await syncLogins();
    assert.deepEqual(askedTokens, ['a-second']);
  });

  test("a renewal changes nothing else in the user's files and keeps them private", async () => {
    write(credentials, JSON.stringify({ mcpOAuth: { x: 1 }, ...JSON.parse(claude('first')) }));
    const before = readFileSync(join(home, '.claude.json'), 'utf8');
    plant(a, JSON.stringify({ mcpOAuth: { planted: 1 }, ...JSON.parse(claude('second', 8)) }));
    await syncLogins({ 'a-second': me });
    const { mcpOAuth } = JSON.parse(readFileSync(join(home, credentials), 'utf8'));
    assert.deepEqual(mcpOAuth, { x: 1 });
    assert.equal(readFileSync(join(home, '.claude.json'), 'utf8'), before);
    assert.equal(statSync(join(home, credentials)).mode & 0o777, 0o600);
    assert.ok(!readFileSync(join(home, inStore(b, credentials)), 'utf8').includes('mcpOAuth'));
  });

  test("a renewal is written to the target of the user's link", async () => {
    mkdirSync(join(home, 'dotfiles'));
    write('dotfiles/login.json', claude('first'));
    rmSync(join(home, credentials));
    symlinkSync('../dotfiles/login.json', join(home, credentials));
    plant(a, claude('second', 8));
    await syncLogins({ 'a-second': me });
    assert.ok(lstatSync(join(home, credentials)).isSymbolicLink());
    assert.equal(token('dotfiles/login.json'), 'a-second');
  });

  test('a renewal of an ended session is used, but that session gets none', async () => {
    plant(b, claude('second', 8));
    await syncLogins({ 'a-second': me }, { live: [a], ended: [b] });
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
    write(credentials, claude('third', 9));
    await syncLogins({}, { live: [a], ended: [b] });
    assert.deepEqual(tokens(), ['a-third', 'a-third', 'a-second']);
  });

  test('a renewal waits while Claude on the host holds its lock, but not for a stale lock', async () => {
    const lock = join(home, '.claude/.oauth_refresh.lock');
    plant(a, claude('second', 8));
    mkdirSync(lock);
    assert.equal(await syncLogins({ 'a-second': me }), 'busy');
    assert.equal(token(credentials), 'a-first');
    utimesSync(lock, 0, 0);
    assert.equal(await syncLogins({ 'a-second': me }), 'done');
    assert.equal(token(credentials), 'a-second');
    assert.equal(existsSync(lock), false);
  });
});

describe('a killed login sync', () => {
  for (const [when, nth] of [
    ['before', 1],
    ['after', 1],
    ['before', 2],
    ['after', 2],
  ] as const)
    test(`a login sync killed ${when} write ${nth} is completed by the next one`, async () => {
      await syncLogins();
      plant(a, claude('second', 8));
      let writes = 0;
      const strike = (now: string) => {
        if (now === when && writes === nth) throw new Error('killed');
      };
      const changeUserFile: HostFiles['changeUserFile'] = (...given) => {
        writes += 1;
        strike('before');
        const done = hostFiles.changeUserFile(...given);
        strike('after');
        return done;
      };
      const dying = syncLogins({ 'a-second': me }, {}, { ...hostFiles, changeUserFile });
      await assert.rejects(dying, /killed/);
      await syncLogins({ 'a-second': me });
      assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
      assert.deepEqual(reasons(), []);
    });
});

describe('an unreachable login provider', () => {
  test("an unreachable provider is asked again if only it can name a login's account", async () => {
    await syncLogins();
    plant(a, claude('second', 8));
    rmSync(join(home, inStore(a, '.claude/.claude.json')));
    assert.equal(await syncLogins({ 'a-second': 'unreachable' }), 'later');
    assert.equal(token(credentials), 'a-first');
    assert.equal(await syncLogins({ 'a-second': me }), 'done');
    assert.equal(token(credentials), 'a-second');
  });
});

describe("the host's login", () => {
  test('a login renewed on the host goes to the sessions, with the account if it changed', async () => {
    await syncLogins();
    write(credentials, claude('second', 8));
    write('.claude.json', profile('my other'));
    await syncLogins();
    assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
    const account = readFileSync(join(home, inStore(a, '.claude/.claude.json')), 'utf8');
    assert.match(account, /my other/);
    assert.match(account, /projects/);
  });

  test('a broken login file on the host is left alone', async () => {
    for (const path of [credentials, '.claude.json']) {
      write(path, '{"half":');
      plant(a, claude('second', 8));
      await syncLogins({ 'a-second': me });
      assert.equal(readFileSync(join(home, path), 'utf8'), '{"half":');
    }
  });

  test('a blank login on the host is replaced by the renewed one of its account', async () => {
    await syncLogins();
    const blank = { claudeAiOauth: { accessToken: '', refreshToken: '', expiresAt: 0 } };
    write(credentials, JSON.stringify(blank));
    plant(a, claude('second', 8));
    await syncLogins({ 'a-second': me });
    assert.equal(token(credentials), 'a-second');
  });

  test("a host without a login gets a session's only after the user confirms", async () => {
    rmSync(join(home, credentials));
    write('.claude.json', '{"theme":"dark"}');
    await syncLogins({ 'a-first': me });
    assert.equal(token(credentials), undefined);
    assert.deepEqual(reasons(), ['offered', 'offered']);
    await syncLogins({}, { confirmed: confirmedLogin(a) });
    assert.equal(token(credentials), 'a-first');
    const account = JSON.parse(readFileSync(join(home, '.claude.json'), 'utf8'));
    assert.deepEqual([account.theme, account.oauthAccount.accountUuid], ['dark', 'me']);
    assert.deepEqual(reasons(), []);
  });
});

describe('a login that the user confirms', () => {
  test('exactly the confirmed login is used, or none', async () => {
    await syncLogins();
    plant(a, claude('shown', 9), 'them');
    const confirmed = confirmedLogin(a);
    plant(a, claude('exchanged', 9), 'evil');
    assert.equal(await syncLogins({}, { live: [], ended: [a], confirmed }), 'changed');
    plant(a, claude('shown', 9), 'evil');
    assert.equal(await syncLogins({}, { live: [], ended: [a], confirmed }), 'done');
    assert.equal(token(credentials), 'a-shown');
    assert.match(readFileSync(join(home, '.claude.json'), 'utf8'), /"them"/);
  });

  test("a confirmed login is not reported as used if the user's file is broken", async () => {
    await syncLogins();
    plant(a, claude('other', 9));
    write(credentials, '// mine');
    assert.equal(
      await syncLogins({}, { live: [], ended: [a], confirmed: confirmedLogin(a) }),
      'broken',
    );
  });

  test("the host's login wins if a renewal shows another account than the session's", async () => {
    await syncLogins();
    plant(a, claude('second', 8));
    await syncLogins({ 'a-second': me });
    write(credentials, claude('renewed', 16));
    write('.claude.json', '{}');
    const they = { account: 'them us', name: undefined };
    await syncLogins({ 'a-renewed': they });
    assert.deepEqual([tokens()[2], reasons()], ['a-second', ['changed']]);
    const { logins } = readHostLogins(claudeLogin, home, hostFiles);
    const login = [...logins.values()][0] as Login;
    await syncLogins({}, { live: [], confirmed: { session: 'host', login } });
    await syncLogins({ 'a-renewed': they });
    assert.deepEqual([tokens()[2], reasons()], ['a-renewed', []]);
  });
});

test("~/.coi may be behind a link of the user's", async () => {
  mkdirSync(join(home, 'far'));
  renameSync(join(home, '.coi'), join(home, 'far/coi'));
  symlinkSync('far/coi', join(home, 'near'));
  symlinkSync('near', join(home, '.coi'));
  await syncLogins();
  plant(a, claude('second', 8));
  await syncLogins({ 'a-second': me });
  assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
  assert.ok(existsSync(join(home, 'far/coi/logins/claude.json')));
});

test('a host file that cannot be written does not affect the sessions', async () => {
  await syncLogins();
  plant(a, claude('second', 8));
  const changeUserFile: HostFiles['changeUserFile'] = (at, path, ...rest) => {
    if (path === credentials) throw new FileError('denied', path, 'is read-only');
    return hostFiles.changeUserFile(at, path, ...rest);
  };
  const files = { ...hostFiles, changeUserFile };
  assert.equal(await syncLogins({ 'a-second': me }, {}, files), 'later');
  assert.deepEqual(tokens(), ['a-first', 'a-second', 'a-second']);
  assert.equal(await syncLogins(), 'done');
  assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
});

test("a start says why the user's login is not used", () => {
  using store = hostFiles.open(join(home, '.coi/sessions-claude', a));
  assert.ok(store);
  const owner = { uid: 0, gid: 0 };
  const request = { file: claudeLogin, home, session: a, store, copied: false, owner, nowMs: 0 };
  const warnings = () => fillLogins(request, hostFiles).warnings.join();
  assert.equal(warnings(), '');
  write(credentials, '{"half":');
  assert.match(warnings(), /your login is not used: .*credentials\.json is not a JSON object/);
  for (const [from, to] of [
    ['.claude/one', '/two'],
    [credentials, '.claude/one'],
  ] as const) {
    rmSync(join(home, from), { force: true });
    symlinkSync(join(home, to), join(home, from));
  }
  write('two', claude('first'));
  if (process.geteuid?.() === 0) assert.match(warnings(), /follows a symbolic link/);
});
