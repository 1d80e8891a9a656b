import assert from 'node:assert/strict';
import * as fs from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSetupHost } from './setup-host.ts';

const machine = openSetupHost();

async function scratch() {
  const path = await fs.mkdtemp(join(tmpdir(), 'coit-machine-'));
  return { path, [Symbol.asyncDispose]: () => fs.rm(path, { recursive: true }) };
}

test('a program runs with its arguments, and returns status and both outputs', async () => {
  const argv = ['sh', '-c', 'printf "%s|" "$@"; printf err >&2; exit 3', 'sh', 'a b', '$HOME', ''];
  assert.deepEqual(await machine.run(argv), { status: 3, stdout: 'a b|$HOME||', stderr: 'err' });
});

test('a program that is missing, too slow or killed has a status that says so', async () => {
  assert.equal((await machine.run(['/nonexistent/program'])).status, 127);
  assert.equal((await machine.run(['sleep', '60'], { timeoutMs: 30 })).status, 124);
  assert.equal((await machine.run(['sh', '-c', 'kill -TERM $$'])).status, 143);
});

test('an interrupted program ends and the reason is thrown', async () => {
  const stop = new AbortController();
  const running = machine.run(['sleep', '60'], { signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(running, { message: 'enough' });
});

test('a detached program has its own session and writes to its log', async () => {
  await using dir = await scratch();
  const logPath = join(dir.path, 'log/out');
  const argv = ['sh', '-c', 'ps -o sid= -p $$; echo "$WORD" >&2'];
  const { pid, ended } = await machine.startDetached(argv, { logPath, env: { WORD: 'hello' } });
  await ended;
  const lines = (await fs.readFile(logPath, 'utf8')).trim().split('\n');
  assert.deepEqual(
    lines.map((line) => line.trim()),
    [String(pid), 'hello'],
  );
});

test('a detached program that does not exist is an error at once', async () => {
  await using dir = await scratch();
  const logPath = join(dir.path, 'out');
  await assert.rejects(machine.startDetached(['/nonexistent'], { logPath }), { code: 'ENOENT' });
});

test('paths are classified by file type', async () => {
  await using dir = await scratch();
  const at = (name: string) => join(dir.path, name);
  await fs.writeFile(at('file'), '');
  await fs.symlink('nowhere', at('link'));
  const server = createServer().listen(at('socket'));
  const names = ['file', '.', 'link', 'socket', 'none', 'file/below'];
  const kinds = await Promise.all(names.map((name) => machine.kind(at(name))));
  assert.deepEqual(kinds, ['file', 'directory', 'link', 'socket', 'missing', 'missing']);
  server.close();
});

test('a file is written atomically with its mode and leaves no other file', async () => {
  await using dir = await scratch();
  const path = join(dir.path, 'a/b');
  await machine.writeText(path, 'one', 0o644);
  await machine.writeText(path, 'two', 0o640);
  assert.equal(await machine.readText(path), 'two');
  assert.equal((await fs.stat(path)).mode & 0o777, 0o640);
  assert.deepEqual(await machine.names(join(dir.path, 'a')), ['b']);
});

test('a path that cannot be accessed is absent', async () => {
  assert.equal(await machine.readText('/nonexistent'), undefined);
  assert.deepEqual(await machine.names('/nonexistent'), []);
  assert.equal(await machine.linkTarget('/nonexistent'), undefined);
});

test('free space is that of the nearest existing parent', async () => {
  const [root, below] = await Promise.all([
    machine.freeBytes('/tmp'),
    machine.freeBytes('/tmp/coit-none/a/b'),
  ]);
  assert.ok(root > 0);
  assert.ok(Math.abs(root - below) < 1 << 30);
});

test('this process is listed under its kernel name', async () => {
  const own = (await machine.processes()).find(({ pid }) => pid === process.pid);
  assert.ok(own);
  assert.equal(own.name, (await fs.readFile('/proc/self/comm', 'utf8')).trim());
});

test("a killed writer's leftovers are removed by the next write, others' files stay", async () => {
  await using at = await scratch();
  for (const name of ['subuid.0a10b366a1f2', 'subuid.bak', 'subuid-', 'subgid.0a10b366a1f2'])
    await fs.writeFile(join(at.path, name), '');
  await machine.writeText(join(at.path, 'subuid'), 'new', 0o644);
  const left = (await fs.readdir(at.path)).sort();
  assert.deepEqual(left, ['subgid.0a10b366a1f2', 'subuid', 'subuid-', 'subuid.bak']);
});
