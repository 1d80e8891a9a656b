import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNewer } from './version.ts';

test('a release is newer by its numbers, and than a development build of the same', () => {
  for (const [release, than] of [
    ['1.0.1', '1.0.0'],
    ['1.10.0', '1.9.9'],
    ['2.0.0', '1.9.9'],
    ['1.0.0', '1.0.0-dev'],
    ['v1.0.1', '1.0.0'],
  ] as const)
    assert.ok(isNewer(release, than), `${release} ${than}`);
  for (const [release, than] of [
    ['1.0.0', '1.0.0'],
    ['1.0.0-dev', '1.0.0'],
    ['0.9.9', '1.0.0'],
    ['1.0.0', '1.0.1-dev'],
  ] as const)
    assert.ok(!isNewer(release, than), `${release} ${than}`);
});
