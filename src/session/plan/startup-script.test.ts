import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withPrelude } from './startup-script.ts';

function runInHome(home: string, command: readonly string[]) {
  const [file = '', ...args] = command;
  return spawnSync(file, args, {
    env: { PATH: process.env['PATH'], HOME: home },
    encoding: 'utf8',
  });
}

test('with nothing to do the command is unchanged', () => {
  assert.deepEqual(withPrelude(['a', 'b'], { identity: undefined, preLaunch: [] }), ['a', 'b']);
});

test("git gets the user's name, whatever its characters, and an existing .gitconfig is kept", () => {
  const home = mkdtempSync(join(tmpdir(), 'coit-prelude-'));
  try {
    const name = `O'Neil "x" \\ $(id)\n[core] fsmonitor = evil`;
    const identity = { name, email: 'o@example.invalid' };
    runInHome(home, withPrelude(['true'], { identity, preLaunch: [] }));
    const git = (key: string) =>
      execFileSync('git', ['config', '--file', join(home, '.gitconfig'), '--get', key], {
        encoding: 'utf8',
      }).trim();
    assert.equal(git('user.name'), name.replace('\n', ' '));
    assert.equal(git('user.email'), 'o@example.invalid');
    assert.throws(() => git('core.fsmonitor'));
    writeFileSync(join(home, '.gitconfig'), 'mine');
    runInHome(home, withPrelude(['true'], { identity, preLaunch: [] }));
    assert.equal(readFileSync(join(home, '.gitconfig'), 'utf8'), 'mine');
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('pre_launch runs first without stdin, and its failure is reported but not fatal', () => {
  const prelude = { identity: undefined, preLaunch: ["echo 'one'", 'read x; exit 3'] };
  const { stdout, stderr, status } = runInHome(
    '/',
    withPrelude(['sh', '-c', 'echo two; exit 5'], prelude),
  );
  assert.equal(stdout, 'one\ntwo\n');
  assert.equal(stderr, 'pre_launch: status 3: read x; exit 3\n');
  assert.equal(status, 5);
});
