import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isAlive, ownPid, runCommand } from './run-command.ts';

const limits = { signal: new AbortController().signal, timeoutMs: 10_000 };

test("both outputs arrive line by line, stdout is kept, and the status is the program's", async () => {
  const lines: string[] = [];
  const argv = ['sh', '-c', 'echo out; echo err >&2; printf last; exit 3'];
  const end = await runCommand(argv, { ...limits, onLine: (line) => lines.push(line) });
  assert.deepEqual(end, { status: 3, stdout: 'out\nlast\n' });
  assert.deepEqual(lines.sort(), ['err', 'last', 'out']);
});

test('a program that does not exist has no status', async () => {
  assert.equal((await runCommand(['/nonexistent/program'], limits)).status, undefined);
});

test('an interrupt ends the program and its children, and its reason is thrown', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  let child = 0;
  const argv = ['sh', '-c', 'sleep 600 & echo $!; wait'];
  const running = runCommand(argv, {
    signal: stop.signal,
    timeoutMs: 10_000,
    onLine: (line) => {
      child = Number(line);
      stop.abort(reason);
    },
  });
  await assert.rejects(running, (error) => error === reason);
  assert.ok(child > 1);
  // The child closed the pipe, which is what `close` waits for; the kernel may need a moment more to end it.
  const deadlineMs = performance.now() + 5_000;
  while (isRunning(child)) assert.ok(performance.now() < deadlineMs, 'the child is still running');
});

test('a program that takes too long is ended', async () => {
  await assert.rejects(runCommand(['sleep', '600'], { ...limits, timeoutMs: 50 }), {
    name: 'TimeoutError',
  });
});

test('this process is reported as alive', () => {
  assert.ok(isAlive(ownPid()));
});

/** A zombie is no longer running. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readStatus(pid));
  } catch {
    // No such process.
    return false;
  }
}

function readStatus(pid: number): string {
  return readFileSync(`/proc/${pid}/status`, 'utf8');
}
