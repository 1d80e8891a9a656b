// Keeps the text that scripts of the predecessor's users match.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { predecessorStrings } from './predecessor-strings.ts';
import { isSource } from './rules.ts';
import { repositoryFiles } from './source.ts';

const root = resolve(import.meta.dirname, '../..');

/** Without comments, which may quote a string that is no longer printed. */
const sourceText = repositoryFiles(root)
  .filter(isSource)
  .map((path) => readFileSync(join(root, path), 'utf8').replaceAll(commentLines(), ''))
  .join('\n');

test('every string that scripts of the predecessor match is still in src', () => {
  const missing = predecessorStrings.filter((text) => !sourceText.includes(text));
  assert.deepEqual(missing, []);
});

test('no string of the predecessor is listed twice', () => {
  assert.equal(new Set(predecessorStrings).size, predecessorStrings.length);
});

test('a string in a comment does not count', () => {
  const text = "// a 'one'\n  /** two */\n   * three\nconst a = 'four'; // five";
  assert.equal(text.replaceAll(commentLines(), '').trim(), "const a = 'four'; // five");
});

function commentLines(): RegExp {
  return /^\s*(?:\/\/|\/\*|\*\s).*$/gm;
}
