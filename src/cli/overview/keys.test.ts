// Keys of a terminal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Key, parseKeys } from './keys.ts';

const text = (character: string): Key => ({ kind: 'text', text: character });
const named = (name: string) => ({ kind: 'named', name }) as Key;

test('keys of xterm, of the application mode and of older terminals are known', () => {
  for (const [input, name] of [
    ['\u001b[A', 'up'],
    ['\u001bOA', 'up'],
    ['\u001b[1;5C', 'right'],
    ['\u001b[5~', 'pageup'],
    ['\u001b[6;2~', 'pagedown'],
    ['\u001b[H', 'home'],
    ['\u001b[4~', 'end'],
    ['\u001b[Z', 'backtab'],
    ['\r', 'enter'],
    ['\u007f', 'backspace'],
    ['\u001a', 'ctrl-z'],
  ] as const)
    assert.deepEqual(parseKeys(input, false), { keys: [named(name)], rest: '' }, name);
});

test('unknown sequences, such as reports of the terminal, are no keys', () => {
  for (const input of [
    '\u001b[200;5u',
    '\u001b[?64;1;2c',
    '\u001b[I',
    '\u001b[24;80R',
    '\u001b[15~',
  ])
    assert.deepEqual(parseKeys(input, false), { keys: [], rest: '' });
});

test('an escape is a key only if nothing follows it', () => {
  assert.deepEqual(parseKeys('\u001b', false), { keys: [], rest: '\u001b' });
  assert.deepEqual(parseKeys('\u001b[', false), { keys: [], rest: '\u001b[' });
  assert.deepEqual(parseKeys('\u001b', true), { keys: [named('escape')], rest: '' });
});

test('a paste is one key, whatever it contains', () => {
  const keys = [{ kind: 'paste', text: 'y\rx\u001b[A' }, text('j')];
  assert.deepEqual(parseKeys('\u001b[200~y\rx\u001b[A\u001b[201~j', false), { keys, rest: '' });
  const begin = '\u001b[200~yes';
  assert.deepEqual(parseKeys(begin, false), { keys: [], rest: begin });
});

test('a paste without marks is one key too, and a held key is not', () => {
  assert.deepEqual(parseKeys('yes do it\r', false).keys, [{ kind: 'paste', text: 'yes do it\r' }]);
  assert.deepEqual(parseKeys('jjjjjjjj', false).keys, Array(8).fill(text('j')));
  assert.deepEqual(parseKeys('jk', false).keys, [text('j'), text('k')]);
});

test('any bytes in any pieces are read without an error, and nothing stays for ever', () => {
  const part = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\u001b', '\u001b[', '\u001b[200~', '\u001b[201~', 'é', '🙂', '\u0000', '\r'),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      let rest = '';
      for (const one of parts) ({ rest } = parseKeys(rest + one, false));
      const last = parseKeys(rest, true);
      assert.ok(last.rest === '' || last.rest.startsWith('\u001b[200~'));
    }),
  );
});
