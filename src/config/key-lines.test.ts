import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { keyLines, lineOf } from './key-lines.ts';

const sample = `# comment [not.a.table]
title = "a = b # no comment"   # comment

[container]
image = 'x'
build.script = "s" # dotted
text = """
[not.a.header]
key = 1
"quoted" \\""" still
"""
raw = '''
[neither]
'''
list = [ # comment ]
  1,
  "[",
]
inline = { a = 1, b = [2, { c = 3 }] }

[[mounts.default]]
host = "/a"
[[mounts.default]]
"host" = "/b"
[mounts.default.deeper]
x = 1
["quoted.part".'other']
y = 2`;

test('every key of a file is found on its line', () => {
  parse(sample);
  const lines = keyLines(sample);
  const expected: Record<string, number> = {
    title: 2,
    container: 4,
    'container.image': 5,
    'container.build': 6,
    'container.build.script': 6,
    'container.text': 7,
    'container.raw': 12,
    'container.list': 15,
    'container.inline': 19,
    'mounts.default[0]': 21,
    'mounts.default[0].host': 22,
    'mounts.default[1]': 23,
    'mounts.default[1].host': 24,
    'mounts.default[1].deeper': 25,
    'mounts.default[1].deeper.x': 26,
    'quoted.part.other.y': 28,
  };
  for (const [path, line] of Object.entries(expected)) assert.equal(lines.get(path), line, path);
  for (const path of ['not', 'not.a.header', 'neither', 'container.key', 'container.a'])
    assert.equal(lines.has(path), false, path);
});

test('a key inside an inline table is found on the line of the table', () => {
  assert.equal(lineOf(keyLines(sample), 'container.inline.b[1].c'), 19);
  assert.equal(lineOf(keyLines(sample), 'nothing.of.it'), 1);
});

const word = fc.stringMatching(/^[a-z][a-z0-9_-]{0,6}$/);
const value = fc.oneof(
  fc
    .string({ unit: 'grapheme-ascii', maxLength: 12 })
    .map((text) => JSON.stringify(text).replace(/\\u007f|\x7f/g, '')),
  fc.integer({ min: -9, max: 9 }).map(String),
  fc.constantFrom(
    '[1, 2]',
    '[\n  "]", # ]\n  "x"\n]',
    '{ a = "}" }',
    '"""\nx = 1\n[y]\n"""',
    "'''\n'x'\n'''",
    'true',
    '""',
    "''",
  ),
);

test('keys are located whatever values stand between them', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(
        fc.tuple(
          word,
          fc.uniqueArray(fc.tuple(word, value), { selector: ([name]) => name, maxLength: 5 }),
        ),
        { selector: ([name]) => name, maxLength: 5 },
      ),
      (sections) => {
        const expected = new Map<string, number>();
        let text = '';
        const line = () => text.split('\n').length;
        for (const [section, entries] of sections) {
          expected.set(section, line());
          text += `[${section}]\n`;
          for (const [name, given] of entries) {
            expected.set(`${section}.${name}`, line());
            text += `${name} = ${given} # [c]\n`;
          }
        }
        parse(text);
        assert.deepEqual(keyLines(text), expected);
      },
    ),
    { numRuns: 200 },
  );
});

test('locating keys never fails or hangs, whatever the text', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom('[', ']', '"', "'", '"""', '\\', '=', '.', '#', '\n', 'a', ' ', '{', '}'),
        { maxLength: 40 },
      ),
      (parts) => {
        keyLines(parts.join(''));
      },
    ),
    { numRuns: 500 },
  );
});
