// Output that is kept up to a limit.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeptOutput } from './limited-output.ts';

function kept(limit: number, chunks: readonly Buffer[]): KeptOutput {
  const output = new KeptOutput(limit);
  for (const chunk of chunks) output.add(chunk);
  return output;
}

test('what fits is kept as it came, however it was cut into pieces', () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 90_000 }), { maxLength: 6 });
  fc.assert(
    fc.property(pieces, (arrays) => {
      const chunks = arrays.map((bytes) => Buffer.from(bytes));
      const output = kept(1_000_000, chunks);
      assert.equal(output.truncated, false);
      assert.equal(output.text(), Buffer.concat(chunks).toString('utf8'));
    }),
    { numRuns: 50 },
  );
});

test('what is over the limit is dropped, and no character is cut in two', () => {
  const text = 'aé€😀'.repeat(20);
  const bytes = Buffer.from(text);
  for (let limit = 0; limit < bytes.length; limit += 1) {
    const output = kept(limit, [bytes.subarray(0, 7), bytes.subarray(7), Buffer.from('more')]);
    assert.equal(output.truncated, true);
    const said = output.text();
    assert.ok(text.startsWith(said), `"${said}" of the first ${limit} bytes`);
    assert.ok(limit - Buffer.byteLength(said) < 4);
  }
  assert.equal(kept(bytes.length, [bytes]).truncated, false);
});
