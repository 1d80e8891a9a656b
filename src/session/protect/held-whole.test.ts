import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heldWhole } from './held-whole.ts';

test('one line for each directory that is held as a whole, and none in the usual case', () => {
  assert.deepEqual(heldWhole(undefined), []);
  assert.deepEqual(heldWhole([{}, { whole: [] }]), []);
  const lines = heldWhole([{}, { whole: ['/w/.git/modules', '/w/.git/work\ntrees'] }]);
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? '', /^not all in "\/w\/\.git\/modules" was looked at: it is read-only/);
  assert.doesNotMatch(lines[1] ?? '', /\n/);
});
