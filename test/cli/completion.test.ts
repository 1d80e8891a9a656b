// Completion through the built program, called as shells call it, with a fake Incus.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { ConfigFixture } from '../bed/config-fixture.ts';
import { coiPath } from '../bed/program.ts';
import { startFakeIncus } from '../fakes/incus/server.ts';

function runProgram(
  file: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd: string,
) {
  return new Promise<{ stdout: string; stderr: string; status: unknown }>((resolve) => {
    execFile(file, [...args], { env, cwd, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ stdout, stderr, status: error?.code ?? 0 }),
    );
  });
}

test('commands, flags, subcommands and profiles are completed, without names that a shell would run', async () => {
  using fixture = new ConfigFixture();
  fixture.profile('web', '');
  fixture.profile('$(touch pwned)', '');
  await using incus = await startFakeIncus();
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: fixture.home,
    INCUS_SOCKET: incus.socketPath,
  };
  const complete = async (...words: string[]) =>
    (await runProgram(coiPath(), ['__complete', '--', ...words], env, fixture.workspace)).stdout
      .trim()
      .split('\n');
  assert.deepEqual(await complete('att'), ['attach']);
  assert.ok((await complete('')).includes('snapshot'));
  assert.ok(!(await complete('')).includes('__complete'), 'hidden');
  assert.deepEqual(await complete('snapshot', 'res'), ['restore']);
  assert.deepEqual(await complete('container', 'exec', '--cap'), ['--capture']);
  assert.deepEqual(await complete('--profile', ''), ['default', 'hardened', 'web']);
  assert.deepEqual(await complete('profile', 'edit', 'w'), ['web']);
  assert.deepEqual(await complete('kill', ''), [''], 'no sessions');
});

test('bash completes with the printed script', async () => {
  using fixture = new ConfigFixture();
  const env = { PATH: process.env['PATH'] ?? '', HOME: fixture.home, INCUS_SOCKET: '/nonexistent' };
  const { stdout: script } = await runProgram(
    coiPath(),
    ['completion', 'bash'],
    env,
    fixture.workspace,
  );
  const ask = `coi() { ${coiPath()} "$@"; }\n${script}\nCOMP_WORDS=(coi snapshot del); COMP_CWORD=2; _coi; printf '%s\\n' "\${COMPREPLY[@]}"`;
  assert.equal((await runProgram('bash', ['-c', ask], env, fixture.workspace)).stdout, 'delete\n');
  const silent = await runProgram(
    coiPath(),
    ['__complete', '--', 'kill', 'x'],
    env,
    fixture.workspace,
  );
  assert.deepEqual([silent.stdout, silent.stderr], ['', ''], 'without Incus it says nothing');
  assert.equal(
    (await runProgram(coiPath(), ['completion', 'tcsh'], env, fixture.workspace)).status,
    2,
  );
});

test('update of a development build says how to update', async () => {
  using fixture = new ConfigFixture();
  const env = { PATH: process.env['PATH'] ?? '', HOME: fixture.home };
  const result = await runProgram(coiPath(), ['update', '--check'], env, fixture.workspace);
  assert.equal(result.status, 1);
  assert.match(result.stderr, /development build[\s\S]*git pull/);
});
