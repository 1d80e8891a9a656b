import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { takeLock } from './socket-lock.ts';

async function place() {
  const dir = await fs.mkdtemp(join(tmpdir(), 'coit-lock-'));
  return { path: join(dir, 'lock'), [Symbol.asyncDispose]: () => fs.rm(dir, { recursive: true }) };
}

test('a lock is held by one at a time, and free again when it was let go', async () => {
  await using at = await place();
  const first = await takeLock(at.path);
  assert.ok(first);
  assert.equal(await takeLock(at.path), undefined);
  await first.release();
  const second = await takeLock(at.path);
  assert.ok(second);
  await second.release();
});

test('the lock of a killed process is free', async () => {
  await using at = await place();
  const module = join(import.meta.dirname, 'socket-lock.ts');
  const script = `const { takeLock } = await import(${JSON.stringify(module)}); await takeLock(${JSON.stringify(at.path)}); console.log('held'); process.stdin.resume();`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  assert.equal(await takeLock(at.path), undefined);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  const taken = await takeLock(at.path);
  assert.ok(taken);
  await taken.release();
});
