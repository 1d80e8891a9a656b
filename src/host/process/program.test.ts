import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProgram, runProgram, runProgramSync } from './program.ts';

const shell = (script: string) => ['sh', '-c', script];

test('a program gets its input; both outputs and the status are kept', async () => {
  const end = await runProgram(shell('cat; echo err >&2; exit 3'), { input: 'given' });
  assert.deepEqual(
    { ...end },
    {
      status: 3,
      signal: undefined,
      failure: undefined,
      isLate: false,
      stdout: 'given',
      stderr: 'err\n',
    },
  );
});

test('a program has only the input and environment that it is given', async () => {
  const { stdout } = await runProgram(['/usr/bin/env'], { env: { ONE: '1', TWO: undefined } });
  assert.equal(stdout, 'ONE=1\n');
  assert.equal((await runProgram(['/usr/bin/cat'], { env: {} })).stdout, '');
});

test('a program that reads nothing may end before its input is written', async () => {
  assert.equal((await runProgram(['true'], { input: 'x'.repeat(1 << 20) })).status, 0);
});

test('a program that cannot be started says why', async () => {
  assert.equal((await runProgram(['/nonexistent/program'], {})).failure?.code, 'ENOENT');
  assert.equal(
    runProgramSync(['/nonexistent/program'], { limitMs: 1000, maxBytes: 10 }).failure,
    'ENOENT',
  );
});

test('a program that takes too long is killed and reported as timed out', async () => {
  const { status, signal, isLate } = await runProgram(['sleep', '600'], { limitMs: 50 });
  assert.deepEqual(
    { status, signal, isLate },
    { status: undefined, signal: 'SIGKILL', isLate: true },
  );
  const options = { limitMs: 50, maxBytes: 10 };
  assert.equal(runProgramSync(['sleep', '600'], options).failure, 'ETIMEDOUT');
});

test('of a long output the start, the end or nothing is kept, as requested', async () => {
  const script = shell('printf 123456');
  const start = await runProgram(script, { stdout: { max: 3, beyond: 'drop the rest' } });
  const end = await runProgram(script, { stdout: { max: 3, beyond: 'drop the start' } });
  assert.deepEqual([start.stdout, end.stdout], ['123', '456']);
  const endless = await runProgram(['yes'], { stdout: { max: 100, beyond: 'end' } });
  assert.deepEqual([endless.signal, endless.isLate], ['SIGKILL', false]);
  assert.equal(runProgramSync(script, { limitMs: 5000, maxBytes: 3 }).failure, 'ENOBUFS');
});

test('an abort signal ends the wait for a program', async () => {
  const { failure } = await runProgram(['sleep', '600'], { signal: AbortSignal.timeout(50) });
  assert.equal(failure?.name, 'AbortError');
});

test('output can be read while the program runs, and the program can be left running', async () => {
  const program = readProgram(shell('echo one; exec sleep 600'), {});
  await program.started;
  let result = '';
  for await (const chunk of program.stdout) {
    result += String(chunk);
    break;
  }
  assert.equal(result, 'one\n');
  program.leave();
  assert.equal(await program.ended, undefined);
});
