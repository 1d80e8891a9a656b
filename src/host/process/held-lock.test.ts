// Locks that are held while other work goes on.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadLibc } from '../linux/load-libc.ts';
import { whileLocked } from './held-lock.ts';

async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'coit-lock-'));
  try {
    await work(join(directory, 'lock'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const longLimit = () => AbortSignal.timeout(10_000);

test('work of one process with the same lock runs one after the other, also after a failure', async () => {
  await withPath(async (path) => {
    const libc = await loadLibc();
    const order: string[] = [];
    const run = (name: string, fails = false) =>
      whileLocked(libc, path, longLimit(), async () => {
        order.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        order.push(`${name} ends`);
        if (fails) throw new Error(name);
      });
    const results = await Promise.allSettled([run('a'), run('b', true), run('c')]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });
});

test('who waits gives up at the limit, and those behind still get their turn', async () => {
  await withPath(async (path) => {
    const libc = await loadLibc();
    const first = Promise.withResolvers<void>();
    const running = whileLocked(libc, path, longLimit(), () => first.promise);
    const ended = new AbortController();
    const second = whileLocked(libc, path, ended.signal, async () => assert.fail('it never runs'));
    const third = whileLocked(libc, path, longLimit(), async () => 'third');
    ended.abort(new Error('too late'));
    await assert.rejects(second, /too late/);
    first.resolve();
    await running;
    assert.equal(await third, 'third');
  });
});
