// Claude Code on the host and the login sync never change the login at the same time, even with linked dotfiles. Locks
// that Claude Code 2.1.197 takes: `.oauth_refresh.lock` in `~/.claude` under that name, and `.lock` at the real path of
// `~/.claude`, which older versions take alone.
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  a,
  claude,
  confirmedLogin,
  credentials,
  home,
  makeLoginHome,
  me,
  plant,
  removeLoginHome,
  syncLogins,
  token,
  write,
} from '../../test/bed/login-home.ts';
import { type HostFiles, hostFiles } from '../host/fs/host-files.ts';

beforeEach(makeLoginHome);
afterEach(removeLoginHome);

const lock = '.claude/.oauth_refresh.lock';

const paths = {
  'plain files': { prepare: () => undefined, locks: [lock, '.claude.lock'], foreign: [] },
  'a linked file': {
    prepare: () => {
      mkdirSync(join(home, 'dotfiles'));
      renameSync(join(home, credentials), join(home, 'dotfiles/login.json'));
      symlinkSync('../dotfiles/login.json', join(home, credentials));
    },
    locks: [lock, '.claude.lock'],
    foreign: ['dotfiles/.oauth_refresh.lock', 'dotfiles.lock'],
  },
  'a linked directory': {
    prepare: () => {
      mkdirSync(join(home, 'dotfiles'));
      renameSync(join(home, '.claude'), join(home, 'dotfiles/claude'));
      symlinkSync('dotfiles/claude', join(home, '.claude'));
    },
    locks: [lock, 'dotfiles/claude.lock'],
    foreign: ['.claude.lock'],
  },
} as const;

for (const [name, { prepare, locks, foreign }] of Object.entries(paths))
  describe(`with ${name}`, () => {
    beforeEach(() => {
      prepare();
      plant(a, claude('second', 8));
    });

    for (const heldLock of locks)
      test(`nothing is written while Claude holds ${heldLock}`, async () => {
        mkdirSync(join(home, heldLock));
        assert.equal(await syncLogins({ 'a-second': me }), 'busy');
        assert.equal(token(credentials), 'a-first');
        for (const other of locks) assert.equal(existsSync(join(home, other)), other === heldLock);
        utimesSync(join(home, heldLock), 0, 0);
        assert.equal(await syncLogins({ 'a-second': me }), 'done');
        assert.equal(token(credentials), 'a-second');
        for (const other of locks) assert.ok(!existsSync(join(home, other)));
      });

    test('the login sync takes the same locks as Claude while it writes', async () => {
      const seen: boolean[][] = [];
      const changeUserFile: HostFiles['changeUserFile'] = (from, path, change, options) =>
        hostFiles.changeUserFile(
          from,
          path,
          (text) => {
            if (path === credentials) seen.push(locks.map((one) => existsSync(join(home, one))));
            return change(text);
          },
          options,
        );
      for (const other of foreign) mkdirSync(join(home, other));
      await syncLogins({ 'a-second': me }, {}, { ...hostFiles, changeUserFile });
      assert.deepEqual(seen, [[true, true]]);
      assert.equal(token(credentials), 'a-second');
      if (name === 'a linked file') assert.ok(lstatSync(join(home, credentials)).isSymbolicLink());
    });
  });

describe('a login that Claude renews during a sync', () => {
  /** Claude renews after the sync has decided, and before it has the lock. */
  function renewed(before: () => void): HostFiles {
    let times = 0;
    return {
      ...hostFiles,
      changeUserFile: (...given) => {
        times += 1;
        if (times === 1) before();
        return hostFiles.changeUserFile(...given);
      },
    };
  }

  test('a login that Claude renews during a sync is not overwritten', async () => {
    await syncLogins();
    plant(a, claude('second', 8));
    const files = renewed(() => write(credentials, claude('third', 9)));
    assert.equal(await syncLogins({ 'a-second': me, 'a-third': me }, {}, files), 'done');
    assert.equal(token(credentials), 'a-third');
  });

  test('a login that Claude renews during a sync is not removed with a foreign one', async () => {
    await syncLogins();
    plant(a, claude('second', 8));
    await syncLogins({ 'a-second': me });
    write(credentials, claude('foreign', 9));
    const files = renewed(() => write(credentials, claude('mine', 10)));
    const answers = { 'a-foreign': { account: 'other us', name: 'x' }, 'a-mine': me };
    await syncLogins(answers, {}, files);
    assert.equal(token(credentials), 'a-mine');
  });
});

test('the account file is left alone while Claude holds its lock', async () => {
  plant(a, claude('second', 8), 'other');
  const accountLock = join(home, '.claude.json.lock');
  mkdirSync(accountLock);
  assert.equal(await syncLogins({}, { confirmed: confirmedLogin(a) }), 'busy');
  rmdirSync(accountLock);
});

test('a change made without a lock while the new file is being written is not lost', () => {
  const path = join(home, credentials);
  const other = () => writeFileSync(path, 'theirs');
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const texts: (string | undefined)[] = [];
  const options = { maxBytes: 1000, owner };
  const change = (text: string | undefined) => {
    texts.push(text);
    if (texts.length === 1) other();
    return `${text} and ours`;
  };
  assert.equal(hostFiles.changeUserFile(home, credentials, change, options), true);
  assert.equal(texts.length, 2);
  const now = hostFiles.readUserFile(home, credentials, { maxBytes: 1000 })?.text;
  assert.equal(now, 'theirs and ours');
  // A file that is written all the time is left alone.
  let times = 0;
  const late = () => {
    times += 1;
    writeFileSync(path, `theirs ${times}`);
    return 'ours';
  };
  assert.equal(hostFiles.changeUserFile(home, credentials, late, options), false);
});
