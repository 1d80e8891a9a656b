import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadLibc } from '../linux/load-libc.ts';
import { lockHolder, takeLock, withLock } from './process-lock.ts';

const module = (name: string) => JSON.stringify(join(import.meta.dirname, name));
/** Holds the lock until it is killed. */
const script = `
  import { loadLibc } from ${module('../linux/load-libc.ts')};
  import { takeLock } from ${module('process-lock.ts')};
  process.stdout.write(takeLock(await loadLibc(), process.argv[1]).kind);
  process.stdin.resume();`;

test("waiting for another process's lock ends when that process is killed or the limit is over", async () => {
  const libc = await loadLibc();
  const directory = mkdtempSync(join(tmpdir(), 'coi-lock-'));
  const path = join(directory, 'lock');
  let done = 0;
  const work = () => {
    done += 1;
  };
  try {
    assert.equal(await withLock(libc, path, AbortSignal.timeout(10_000), work), true);
    const holder = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = await once(holder.stdout, 'data');
    assert.equal(String(line), 'taken');
    assert.equal(lockHolder(libc, path), holder.pid);
    assert.deepEqual(takeLock(libc, path), { kind: 'held', pid: holder.pid });
    assert.equal(await withLock(libc, path, AbortSignal.timeout(50), work), false);
    assert.equal(done, 1);
    const waiting = withLock(libc, path, AbortSignal.timeout(10_000), work);
    holder.kill('SIGKILL');
    assert.equal(await waiting, true);
    assert.equal(done, 2);
    assert.equal(lockHolder(libc, path), undefined);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
