// Claude Code on the host and the keeper never change the login at the same time, also where dotfiles are links. Which locks
// Claude Code 2.1.197 takes: `.oauth_refresh.lock` in `~/.claude` as that is named, and `.lock` behind what `~/.claude` is
// without links, which older versions take alone.
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
  begin,
  claude,
  credentials,
  end,
  home,
  keep,
  me,
  plant,
  token,
  wantedOf,
  write,
} from '../../test/bed/login-home.ts';
import { type HostFiles, hostFiles } from '../host/fs/host-files.ts';

beforeEach(begin);
afterEach(end);

const lock = '.claude/.oauth_refresh.lock';

const places = {
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

for (const [name, { prepare, locks, foreign }] of Object.entries(places))
  describe(`with ${name}`, () => {
    beforeEach(() => {
      prepare();
      plant(a, claude('second', 8));
    });

    for (const held of locks)
      test(`nothing is written while Claude has ${held}`, async () => {
        mkdirSync(join(home, held));
        assert.equal(await keep({ 'a-second': me }), 'busy');
        assert.equal(token(credentials), 'a-first');
        for (const other of locks) assert.equal(existsSync(join(home, other)), other === held);
        utimesSync(join(home, held), 0, 0);
        assert.equal(await keep({ 'a-second': me }), 'done');
        assert.equal(token(credentials), 'a-second');
        for (const other of locks) assert.ok(!existsSync(join(home, other)));
      });

    test('Claude finds the same locks while the keeper writes', async () => {
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
      await keep({ 'a-second': me }, {}, { ...hostFiles, changeUserFile });
      assert.deepEqual(seen, [[true, true]]);
      assert.equal(token(credentials), 'a-second');
      if (name === 'a linked file') assert.ok(lstatSync(join(home, credentials)).isSymbolicLink());
    });
  });

describe('a login that Claude renews while the keeper works', () => {
  /** Claude has renewed when the keeper has decided, and before it has the lock. */
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

  test('is not written over', async () => {
    await keep();
    plant(a, claude('second', 8));
    const files = renewed(() => write(credentials, claude('third', 9)));
    assert.equal(await keep({ 'a-second': me, 'a-third': me }, {}, files), 'done');
    assert.equal(token(credentials), 'a-third');
  });

  test('is not taken away with the one that was found to be foreign', async () => {
    await keep();
    plant(a, claude('second', 8));
    await keep({ 'a-second': me });
    write(credentials, claude('foreign', 9));
    const files = renewed(() => write(credentials, claude('mine', 10)));
    const answers = { 'a-foreign': { account: 'other us', name: 'x' }, 'a-mine': me };
    await keep(answers, {}, files);
    assert.equal(token(credentials), 'a-mine');
  });
});

test('the account’s file is left alone while Claude has its lock', async () => {
  plant(a, claude('second', 8), 'other');
  const accountLock = join(home, '.claude.json.lock');
  mkdirSync(accountLock);
  assert.equal(await keep({}, { wanted: wantedOf(a) }), 'busy');
  rmdirSync(accountLock);
});

test('a change that somebody makes without a lock, while the new file is being written, is not lost', () => {
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
  // One that writes all the time is left to it.
  let times = 0;
  const late = () => {
    times += 1;
    writeFileSync(path, `theirs ${times}`);
    return 'ours';
  };
  assert.equal(hostFiles.changeUserFile(home, credentials, late, options), false);
});
