import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearest } from './suggest.ts';

const text = fc.string({ maxLength: 8 });

test('the edit distance is a metric for common typos', () => {
  assert.equal(editDistance('imgae', 'image'), 1);
  assert.equal(editDistance('image', 'images'), 1);
  assert.equal(editDistance('image', 'mage'), 1);
  assert.equal(editDistance('', 'abc'), 3);
  fc.assert(
    fc.property(text, text, (a, b) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
      assert.ok(editDistance(a, b) <= Math.max(a.length, b.length));
    }),
  );
});

test('a similar name is suggested, a different one is not', () => {
  assert.equal(nearest('persistant', ['image', 'persistent']), 'persistent');
  assert.equal(nearest('Image', ['image', 'images']), 'image');
  assert.equal(nearest('xyz', ['image', 'persistent']), undefined);
});
