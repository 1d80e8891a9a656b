import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { table } from './cli/ui/table.ts';
import { oneLine, printable } from './printable.ts';

test('only text, newlines, tabs and colours reach the terminal', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const left = printable(text).replace(/\u001b\[[0-9;]*m/g, '');
      assert.doesNotMatch(left, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    }),
  );
  assert.equal(printable('a\u001b]52;c;eA==\u0007b'), 'a\\x1b]52;c;eA==\\x07b');
  assert.equal(printable('\u001b[31mred\u001b[39m'), '\u001b[31mred\u001b[39m');
  for (const code of ['8', '30', '0;8', '38;5;0', '1;31', '', '7', '40'])
    assert.equal(printable(`a\u001b[${code}mb`), `a\\x1b[${code}mb`, code);
  assert.equal(printable('safe\u202egnp.exe'), 'safe\\x202egnp.exe');
});

test('an untrusted name stays on one line', () => {
  assert.equal(oneLine('a\nb\u001b[31m'), 'a\\nb\\x1b[31m');
});

test('a table pads to the widest cell and has no trailing blanks', () => {
  assert.deepEqual(
    table(
      ['NAME', 'X'],
      [
        ['a', 'b'],
        ['longer', ''],
      ],
    ),
    ['NAME    X', 'a       b', 'longer'],
  );
});
