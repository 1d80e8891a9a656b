import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SequenceTracker } from './sequence-tracker.ts';
import { TerminalTap } from './terminal-tap.ts';

/** Complete parts of a terminal's output: nothing may be written within one of them. */
const parts = [
  'a',
  'ü',
  '質',
  '😀',
  '\n',
  '\u001b[1;31m',
  '\u001b[?2004h',
  '\u001b]0;title\u0007',
  '\u001b]8;;https://x/\u001b\\',
  '\u001bP+q544e\u001b\\',
  '\u001b(B',
  '\u001b7',
  '\u001b_text\u001b\\',
  '\u001b]0;unfinished\u001b[0m',
];

function isBetween(bytes: Uint8Array): boolean {
  const tracker = new SequenceTracker();
  tracker.see(bytes);
  return tracker.isBetween;
}

test('something may be written after each complete part, and never within one', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...parts)), fc.constantFrom(...parts), (before, last) => {
      const start = Buffer.from(before.join(''));
      assert.ok(isBetween(start), JSON.stringify(before));
      const bytes = Buffer.from(last);
      for (let length = 1; length < bytes.length; length += 1)
        assert.equal(
          isBetween(Buffer.concat([start, bytes.subarray(0, length)])),
          false,
          JSON.stringify([last, length]),
        );
    }),
  );
});

test('a tracker sees the same in one chunk and in many, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 8 })), (chunks) => {
      const tracker = new SequenceTracker();
      for (const chunk of chunks) tracker.see(chunk);
      assert.equal(tracker.isBetween, isBetween(Buffer.concat(chunks)));
    }),
  );
});

test('a notice waits for the end of a sequence', () => {
  const written: string[] = [];
  const tap = new TerminalTap((text) => written.push(text));
  tap.output(Buffer.from('text \u001b[3'));
  tap.interject('NOTICE');
  assert.deepEqual(written, []);
  tap.output(Buffer.from('1m'));
  assert.deepEqual(written, ['NOTICE']);
  tap.interject('AGAIN');
  assert.deepEqual(written, ['NOTICE', 'AGAIN']);
});

test('the last change of the focus in an input counts', () => {
  const seen: (string | undefined)[] = [];
  const tap = new TerminalTap(() => {});
  tap.onInput = (focus) => seen.push(focus);
  for (const text of ['a', '\u001b[I', '\u001b[O', '\u001b[O\u001b[I', '\u001b[I x \u001b[O'])
    tap.input(Buffer.from(text));
  assert.deepEqual(seen, [undefined, 'in', 'out', 'in', 'out']);
  // In parts.
  for (const text of ['\u001b', '[I', 'x\u001b[', 'O']) tap.input(Buffer.from(text));
  assert.deepEqual(seen.slice(5), [undefined, 'in', undefined, 'out']);
});
