import assert from 'node:assert/strict';
import { test } from 'node:test';
import { argumentsToEnvironment, takeArguments } from './command-line.ts';

/** The arguments that a program gets with that environment. */
function argumentsSeen(env: Record<string, string>): { words: string[]; left: string[] } {
  const process = { env: { ...env }, argv: ['node', 'main.js'], title: '' };
  const words = takeArguments(process as unknown as NodeJS.Process);
  return { words, left: Object.keys(process.env) };
}

test('arguments with any content are passed on, in chunks that the kernel accepts', () => {
  for (const words of [
    [],
    ['run', '--env', 'A=ü\u{1f600}\n"quoted"', ''],
    ['run', '--env', `A=${'x'.repeat(120_000)}`, `--env=B=${'\u{1f600}"'.repeat(20_000)}`],
  ]) {
    const env = argumentsToEnvironment(words);
    for (const [name, value] of Object.entries(env))
      assert.ok(Buffer.byteLength(`${name}=${value}`) < 128 * 1024, name);
    assert.deepEqual(argumentsSeen({ ...env, HOME: '/h' }), { words, left: ['HOME'] });
  }
});
