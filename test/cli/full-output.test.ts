// Output to a full disk: a plain error if results are lost, and no effect if progress is lost.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';

function coi(args: readonly string[], full: 'stdout' | 'stderr') {
  using fixture = new ConfigFixture();
  fixture.project('[network]\nmode = "open"\n');
  const env = { PATH: process.env['PATH'], HOME: fixture.home, INCUS_SOCKET: '/nonexistent' };
  const device = openSync('/dev/full', 'w');
  try {
    return spawnSync(coiPath(), args, {
      cwd: fixture.workspace,
      env,
      encoding: 'utf8',
      timeout: 60_000,
      stdio: ['ignore', full === 'stdout' ? device : 'pipe', full === 'stderr' ? device : 'pipe'],
    });
  } finally {
    closeSync(device);
  }
}

test('output that cannot be written is reported as such', () => {
  for (const line of [
    'version',
    'help',
    'shell --help',
    'config show',
    'config show --json',
    'config schema',
    'completion bash',
    'profile list',
    'trust --list',
    'health',
    'health --json',
  ]) {
    const { status, stderr } = coi(line.split(' '), 'stdout');
    assert.equal(status, 1, line);
    assert.match(
      stderr,
      /(Error: |"message":")the output could not be written: ENOSPC/,
      `${line}: ${stderr}`,
    );
    assert.doesNotMatch(stderr, /bug in coi/);
  }
});

test('progress that cannot be printed does not change the exit status', () => {
  for (const [line, expected] of [
    ['config show container.image', 0],
    ['config show nothing', 2],
    ['nosuch', 2],
    ['list', 1],
  ] as const)
    assert.equal(coi(line.split(' '), 'stderr').status, expected, line);
});
