import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handedWords, ownWords } from './command-line.ts';

/** What a program finds that was started with that environment. */
function found(env: Record<string, string>): { words: string[]; left: string[] } {
  const process = { env: { ...env }, argv: ['node', 'main.js'], title: '' };
  const words = ownWords(process as unknown as NodeJS.Process);
  return { words, left: Object.keys(process.env) };
}

test('words are handed over whatever is in them, in pieces that the kernel takes', () => {
  for (const words of [
    [],
    ['run', '--env', 'A=ü\u{1f600}\n"quoted"', ''],
    ['run', '--env', `A=${'x'.repeat(120_000)}`, `--env=B=${'\u{1f600}"'.repeat(20_000)}`],
  ]) {
    const env = handedWords(words);
    for (const [name, value] of Object.entries(env))
      assert.ok(Buffer.byteLength(`${name}=${value}`) < 128 * 1024, name);
    assert.deepEqual(found({ ...env, HOME: '/h' }), { words, left: ['HOME'] });
  }
});
