import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { candidatesOf } from './path-candidates.ts';
import { commandPieces, quotedWords } from './shell-words.ts';

const name = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'é',
      ' ',
      "'",
      '"',
      '\\',
      '$',
      '`',
      ';',
      '&',
      '(',
      '=',
      ',',
      '%',
      '*',
      '#',
      '~',
    ),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((parts) => `tools/x${parts.join('')}y`);

const quoting = fc.constantFrom(
  (word: string) => `'${word.replaceAll("'", `'\\''`)}'`,
  (word: string) => `"${word.replaceAll(/[\\"$`]/g, '\\$&')}"`,
  (word: string) => word.replaceAll(/[^\w/.]/gu, '\\$&'),
);

test('a program is found whatever its name and however often it is quoted', () => {
  fc.assert(
    fc.property(
      name,
      fc.array(quoting, { minLength: 1, maxLength: 3 }),
      (path, [first, ...more]) => {
        let command = `./${path}`;
        command = `${first?.(command)} --flag "$1"`;
        for (const quote of more) command = `exec sh -c ${quote(command)} --`;
        const value = `!${command}`;
        const found = candidatesOf({ section: 'alias', subsection: undefined, name: 'x', value });
        assert.ok(
          found.some((one) => one.path === `./${path}`),
          value,
        );
      },
    ),
  );
});

test('any text is parsed, however strange or long', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      for (const { text: piece } of commandPieces(text)) assert.notEqual(piece, '');
      quotedWords(text);
    }),
  );
  for (const part of ['"', "'", '\\', '$(', '`', '"\'', '{', 'a ', '/a'])
    candidatesOf({
      section: 'alias',
      subsection: undefined,
      name: 'x',
      value: `!$x${part.repeat(50_000)}`,
    });
});
