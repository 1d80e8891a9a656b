import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { configSchema, durationText } from '../schema.ts';
import { keyNames, keyOf } from './table.ts';
import {
  durationMs,
  guestPath,
  type JsonSchema,
  parseDurationMs,
  path,
  resolvePath,
  ValueProblem,
} from './values.ts';

const base = { home: '/home/u', dir: '/home/u/.coi', workspace: '/p' };

test('every default is valid for its key', () => {
  for (const name of keyNames) {
    const { type, fallback } = keyOf(name);
    if (fallback === undefined || type === durationMs) continue;
    assert.doesNotThrow(() => type.parse(fallback as never, base), name);
  }
});

test('every key has a one-sentence description', () => {
  for (const name of keyNames) assert.match(keyOf(name).doc, /^.{5,}\.$/, name);
});

test('keys without effect are marked and say so', () => {
  for (const name of keyNames) {
    const { doc, effect } = keyOf(name);
    assert.equal(effect === 'none', /^Without effect|^Accepted in old files/.test(doc), name);
  }
});

test('the schema has every key with its default as written in a file', () => {
  const find = (schema: JsonSchema, [name, ...rest]: readonly string[]): JsonSchema =>
    name === undefined
      ? schema
      : find((schema['properties'] as Record<string, JsonSchema>)[name] ?? {}, rest);
  for (const name of keyNames)
    assert.equal(find(configSchema(), name.split('.'))['description'], keyOf(name).doc, name);
  assert.equal(find(configSchema(), ['defaults', 'env_command_timeout'])['default'], '30s');
});

test('a printed duration can be parsed again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10 ** 9 }), (ms) =>
      assert.equal(parseDurationMs(durationText(ms)), ms),
    ),
  );
});

test('no key is also a section', () => {
  for (const name of keyNames)
    for (const other of keyNames) assert.ok(!other.startsWith(`${name}.`), `${name} and ${other}`);
});

test('a value of any type is either accepted or rejected with a reason', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...keyNames),
      fc.anything({ withDate: true, withNullPrototype: true }),
      (name, value) => {
        try {
          keyOf(name).type.parse(value as never, base);
        } catch (error) {
          assert.ok(error instanceof ValueProblem, `${name}: ${error}`);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

describe('value formats', () => {
  test("durations use Go's syntax", () => {
    const given = ['90s', '1h30m', '1.5h', '250ms', '2h0m1s'].map((text) =>
      durationMs.parse(text, base),
    );
    assert.deepEqual(given, [90_000, 5_400_000, 5_400_000, 250, 7_201_000]);
    for (const wrong of ['', '10', '-5s', '5 s', '1d', 's', '1h 2m'])
      assert.equal(parseDurationMs(wrong), undefined, wrong);
    assert.throws(() => durationMs.parse('0s', base), ValueProblem);
  });

  test('paths are relative to the home, the file or the workspace', () => {
    assert.equal(path().parse('~/x', base), '/home/u/x');
    assert.equal(path().parse('~', base), '/home/u');
    assert.equal(path().parse('x/../y', base), '/home/u/.coi/y');
    assert.equal(path('workspace').parse('./x', base), '/p/x');
    assert.equal(path('workspace').parse('/a//b/./c/', base), '/a/b/c');
  });

  test('a resolved path is absolute and has no . or .. parts', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('..', '.', '', 'a', '~', 'b c'), { maxLength: 6 }),
        (parts) => {
          assert.match(
            resolvePath(parts.join('/'), '/home/u', '/p'),
            /^\/(?:(?!\.{1,2}(?:\/|$))[^/]+(?:\/(?!\.{1,2}(?:\/|$))[^/]+)*)?$/,
          );
        },
      ),
    );
  });

  test('a container path is absolute and normalized', () => {
    assert.equal(guestPath.parse('/a//b/', base), '/a/b');
    for (const wrong of ['a', '', '/a/../b', '/..'])
      assert.throws(() => guestPath.parse(wrong, base), ValueProblem);
  });
});
