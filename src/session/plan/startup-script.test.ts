import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withPrelude } from './startup-script.ts';

function ran(home: string, command: readonly string[]) {
  const [file = '', ...args] = command;
  return spawnSync(file, args, {
    env: { PATH: process.env['PATH'], HOME: home },
    encoding: 'utf8',
  });
}

test('without anything to do the command is as it was', () => {
  assert.deepEqual(withPrelude(['a', 'b'], { identity: undefined, preLaunch: [] }), ['a', 'b']);
});

test('git knows the user, whatever is in the name, and a configuration that is there stays', () => {
  const home = mkdtempSync(join(tmpdir(), 'coit-prelude-'));
  try {
    const name = `O'Neil "x" \\ $(id)\n[core] fsmonitor = evil`;
    const identity = { name, email: 'o@example.invalid' };
    ran(home, withPrelude(['true'], { identity, preLaunch: [] }));
    const git = (key: string) =>
      execFileSync('git', ['config', '--file', join(home, '.gitconfig'), '--get', key], {
        encoding: 'utf8',
      }).trim();
    assert.equal(git('user.name'), name.replace('\n', ' '));
    assert.equal(git('user.email'), 'o@example.invalid');
    assert.throws(() => git('core.fsmonitor'));
    writeFileSync(join(home, '.gitconfig'), 'mine');
    ran(home, withPrelude(['true'], { identity, preLaunch: [] }));
    assert.equal(readFileSync(join(home, '.gitconfig'), 'utf8'), 'mine');
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('pre_launch runs first, without stdin, and a failure is told and stops nothing', () => {
  const prelude = { identity: undefined, preLaunch: ["echo 'one'", 'read x; exit 3'] };
  const { stdout, stderr, status } = ran(
    '/',
    withPrelude(['sh', '-c', 'echo two; exit 5'], prelude),
  );
  assert.equal(stdout, 'one\ntwo\n');
  assert.equal(stderr, 'pre_launch: status 3: read x; exit 3\n');
  assert.equal(status, 5);
});
