// Completion through the built program, as the shells ask for it, against a fake Incus.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { ConfigPlace } from '../bed/config-place.ts';
import { coiPath } from '../bed/program.ts';
import { startFakeIncus } from '../fakes/incus/server.ts';

function ran(file: string, args: readonly string[], env: Record<string, string>, cwd: string) {
  return new Promise<{ stdout: string; stderr: string; status: unknown }>((resolve) => {
    execFile(file, [...args], { env, cwd, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ stdout, stderr, status: error?.code ?? 0 }),
    );
  });
}

test('commands, their flags, subcommands and profiles are offered; nothing that a shell would run', async () => {
  using place = new ConfigPlace();
  place.profile('web', '');
  place.profile('$(touch pwned)', '');
  await using incus = await startFakeIncus();
  const env = { PATH: process.env['PATH'] ?? '', HOME: place.home, INCUS_SOCKET: incus.socketPath };
  const complete = async (...words: string[]) =>
    (await ran(coiPath(), ['__complete', '--', ...words], env, place.workspace)).stdout
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

test('bash completes with the script that it is given', async () => {
  using place = new ConfigPlace();
  const env = { PATH: process.env['PATH'] ?? '', HOME: place.home, INCUS_SOCKET: '/nonexistent' };
  const { stdout: script } = await ran(coiPath(), ['completion', 'bash'], env, place.workspace);
  const ask = `coi() { ${coiPath()} "$@"; }\n${script}\nCOMP_WORDS=(coi snapshot del); COMP_CWORD=2; _coi; printf '%s\\n' "\${COMPREPLY[@]}"`;
  assert.equal((await ran('bash', ['-c', ask], env, place.workspace)).stdout, 'delete\n');
  const silent = await ran(coiPath(), ['__complete', '--', 'kill', 'x'], env, place.workspace);
  assert.deepEqual([silent.stdout, silent.stderr], ['', ''], 'without Incus it says nothing');
  assert.equal((await ran(coiPath(), ['completion', 'tcsh'], env, place.workspace)).status, 2);
});

test('update of a development build says how', async () => {
  using place = new ConfigPlace();
  const env = { PATH: process.env['PATH'] ?? '', HOME: place.home };
  const said = await ran(coiPath(), ['update', '--check'], env, place.workspace);
  assert.equal(said.status, 1);
  assert.match(said.stderr, /development build[\s\S]*git pull/);
});
