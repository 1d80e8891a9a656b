// Output that is kept up to a limit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LimitedOutput } from './limited-output.ts';

function keep(limit: number, chunks: readonly Buffer[]): LimitedOutput {
  const output = new LimitedOutput(limit);
  for (const chunk of chunks) output.add(chunk);
  return output;
}

test('output below the limit is kept unchanged, however it is split into chunks', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 90_000 }), { maxLength: 6 });
  fc.assert(
    fc.property(pieces, (arrays) => {
      const chunks = arrays.map((bytes) => Buffer.from(bytes));
      const output = keep(1_000_000, chunks);
      assert.equal(output.truncated, false);
      assert.equal(output.text(), Buffer.concat(chunks).toString('utf8'));
    }),
    { numRuns: 50 },
  );
});

test('output beyond the limit is dropped without cutting a character in two', () => {
  const text = 'aé€😀'.repeat(20);
  const bytes = Buffer.from(text);
  for (let limit = 0; limit < bytes.length; limit += 1) {
    const output = keep(limit, [bytes.subarray(0, 7), bytes.subarray(7), Buffer.from('more')]);
    assert.equal(output.truncated, true);
    const result = output.text();
    assert.ok(text.startsWith(result), `"${result}" of the first ${limit} bytes`);
    assert.ok(limit - Buffer.byteLength(result) < 4);
  }
  assert.equal(keep(bytes.length, [bytes]).truncated, false);
});
