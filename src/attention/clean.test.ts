import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cleanLine, cleanText } from './clean.ts';

test('control and bidi characters are removed, letters of every script stay', () => {
  const hostile = '\u001b]52;c;AAAA\u0007ask\u202e \u0000日本語 עברית\u2066\r\nline\ttab\u009b2J';
  assert.deepEqual(cleanText(hostile, 100), {
    text: ']52;c;AAAAask 日本語 עברית\nline\ttab2J',
    truncated: false,
  });
});

test('long text is cut, and a broken pair of surrogates becomes a replacement character', () => {
  assert.deepEqual(cleanText(`ab${'😀'.repeat(5)}`, 3), { text: 'ab\ufffd', truncated: true });
  assert.equal(cleanText('\ud800x', 10).text, '\ufffdx');
});

test('a line has no newlines and ends with an ellipsis if it was cut', () => {
  assert.equal(cleanLine('  a\n\tb  ', 10), 'a b');
  assert.equal(cleanLine('0123456789abc', 10), '012345678…');
  assert.equal(cleanLine('x'.repeat(1_000_000), 5), 'xxxx…');
});
