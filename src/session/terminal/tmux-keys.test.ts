import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { keyWords, parseKey } from './tmux-keys.ts';

test('keys can be named as in tmux or in common notation', () => {
  for (const [given, expected] of [
    ['Escape', 'Escape'],
    ['esc', 'Escape'],
    ['ENTER', 'Enter'],
    ['C-c', 'C-c'],
    ['M-C-x', 'M-C-x'],
    ['S-Up', 'S-Up'],
    ['pagedown', 'PageDown'],
    ['f12', 'F12'],
    ['y', 'y'],
    ['Y', 'Y'],
    [';', ';'],
    ["'", "'"],
    ['-', '-'],
    ['C--', 'C--'],
  ] as const)
    assert.equal(parseKey(given), expected);
  for (const wrong of ['', 'C-', 'Escap', 'yes', 'F13', 'é', 'c-c', 'Enter Enter', "a'", '\n'])
    assert.throws(() => parseKey(wrong), /is not a key/, wrong);
});

test('any accepted key becomes one quoted word', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 6 }), (text) => {
      let key: string;
      try {
        key = parseKey(text);
      } catch {
        return;
      }
      assert.match(keyWords([key]), /^('[^']+'|"(?:[CMS]-)*'")$/);
    }),
  );
});
