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
  profile,
  reasons,
  token,
  tokens,
  wantedOf,
  write,
} from '../../test/bed/login-home.ts';
import { FileError, type HostFiles, hostFiles } from '../host/fs/host-files.ts';
import { hostLogins } from './copies.ts';
import { fillLogins } from './fill.ts';
import { claudeLogin } from './formats/claude.ts';
import type { Login } from './formats/login.ts';

beforeEach(begin);
afterEach(end);

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

describe('a keeper that is killed', () => {
  for (const [when, nth] of [
    ['before', 1],
    ['after', 1],
    ['before', 2],
    ['after', 2],
  ] as const)
    test(`${when} its write number ${nth} is followed by one that ends the work`, async () => {
      await keep();
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
      const dying = keep({ 'a-second': me }, {}, { ...hostFiles, changeUserFile });
      await assert.rejects(dying, /killed/);
      await keep({ 'a-second': me });
      assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
      assert.deepEqual(reasons(), []);
    });
});

describe('a provider that cannot be reached', () => {
  test('is asked again where only it can say whose a login is', async () => {
    await keep();
    plant(a, claude('second', 8));
    rmSync(join(home, inStore(a, '.claude/.claude.json')));
    assert.equal(await keep({ 'a-second': 'unreachable' }), 'later');
    assert.equal(token(credentials), 'a-first');
    assert.equal(await keep({ 'a-second': me }), 'done');
    assert.equal(token(credentials), 'a-second');
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
    await keep({}, { wanted: wantedOf(a) });
    assert.equal(token(credentials), 'a-first');
    const account = JSON.parse(readFileSync(join(home, '.claude.json'), 'utf8'));
    assert.deepEqual([account.theme, account.oauthAccount.accountUuid], ['dark', 'me']);
    assert.deepEqual(reasons(), []);
  });
});

describe('a login that the user wants', () => {
  test('is the one that was confirmed, or none', async () => {
    await keep();
    plant(a, claude('shown', 9), 'them');
    const wanted = wantedOf(a);
    plant(a, claude('exchanged', 9), 'evil');
    assert.equal(await keep({}, { live: [], ended: [a], wanted }), 'changed');
    plant(a, claude('shown', 9), 'evil');
    assert.equal(await keep({}, { live: [], ended: [a], wanted }), 'done');
    assert.equal(token(credentials), 'a-shown');
    assert.match(readFileSync(join(home, '.claude.json'), 'utf8'), /"them"/);
  });

  test('is not said to be taken where the user’s file is broken', async () => {
    await keep();
    plant(a, claude('other', 9));
    write(credentials, '// mine');
    assert.equal(await keep({}, { live: [], ended: [a], wanted: wantedOf(a) }), 'broken');
  });

  test('is the host’s, where a renewal there shows another account than a session had brought', async () => {
    await keep();
    plant(a, claude('second', 8));
    await keep({ 'a-second': me });
    write(credentials, claude('renewed', 16));
    write('.claude.json', '{}');
    const they = { account: 'them us', name: undefined };
    await keep({ 'a-renewed': they });
    assert.deepEqual([tokens()[2], reasons()], ['a-second', ['changed']]);
    const { logins } = hostLogins(claudeLogin, home, hostFiles);
    const login = [...logins.values()][0] as Login;
    await keep({}, { live: [], wanted: { session: 'host', login } });
    await keep({ 'a-renewed': they });
    assert.deepEqual([tokens()[2], reasons()], ['a-renewed', []]);
  });
});

test('~/.coi may be where a link of the user’s leads', async () => {
  mkdirSync(join(home, 'far'));
  renameSync(join(home, '.coi'), join(home, 'far/coi'));
  symlinkSync('far/coi', join(home, 'near'));
  symlinkSync('near', join(home, '.coi'));
  await keep();
  plant(a, claude('second', 8));
  await keep({ 'a-second': me });
  assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
  assert.ok(existsSync(join(home, 'far/coi/logins/claude.json')));
});

test('a file of the host that cannot be written costs the sessions nothing', async () => {
  await keep();
  plant(a, claude('second', 8));
  const changeUserFile: HostFiles['changeUserFile'] = (at, path, ...rest) => {
    if (path === credentials) throw new FileError('denied', path, 'is read-only');
    return hostFiles.changeUserFile(at, path, ...rest);
  };
  const files = { ...hostFiles, changeUserFile };
  assert.equal(await keep({ 'a-second': me }, {}, files), 'later');
  assert.deepEqual(tokens(), ['a-first', 'a-second', 'a-second']);
  assert.equal(await keep(), 'done');
  assert.deepEqual(tokens(), ['a-second', 'a-second', 'a-second']);
});

test('a start says why the user’s login is not used', () => {
  using store = hostFiles.open(join(home, '.coi/sessions-claude', a));
  assert.ok(store);
  const owner = { uid: 0, gid: 0 };
  const request = { file: claudeLogin, home, session: a, store, copied: false, owner, nowMs: 0 };
  const warnings = () => fillLogins(request, hostFiles).warnings.join();
  assert.equal(warnings(), '');
  write(credentials, '{"half":');
  assert.match(warnings(), /your login is not used: .*credentials\.json is no JSON/);
  for (const [from, to] of [
    ['.claude/one', '/two'],
    [credentials, '.claude/one'],
  ] as const) {
    rmSync(join(home, from), { force: true });
    symlinkSync(join(home, to), join(home, from));
  }
  write('two', claude('first'));
  if (process.geteuid?.() === 0) assert.match(warnings(), /leads over a symbolic link/);
});
