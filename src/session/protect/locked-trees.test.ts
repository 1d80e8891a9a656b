import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lockedTreeNotices } from './locked-trees.ts';

test('each directory that is sealed as a whole is one line, and usually there is none', () => {
  assert.deepEqual(lockedTreeNotices(undefined), []);
  assert.deepEqual(lockedTreeNotices([{}, { whole: [] }]), []);
  const lines = lockedTreeNotices([{}, { whole: ['/w/.git/modules', '/w/.git/work\ntrees'] }]);
  assert.equal(lines.length, 2);
  assert.match(
    lines[0] ?? '',
    /^"\/w\/\.git\/modules" was not completely checked: it is read-only/,
  );
  assert.doesNotMatch(lines[1] ?? '', /\n/);
});
