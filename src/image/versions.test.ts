import assert from 'node:assert/strict';
import { test } from 'node:test';
import { versionAlias, versionsOf } from './versions.ts';

test('a version is its build time with leading zeros', () => {
  assert.equal(
    versionAlias('coi-default', new Date(2026, 0, 2, 3, 4, 5)),
    'coi-default-20260102-030405',
  );
});

test('versions of an alias are found newest first, without those of longer names', () => {
  const names = [
    'coi-a-20260101-000000',
    'coi-a',
    'coi-a-b-20260101-000000',
    'coi-a-20270101-000000',
    'coi-a-latest',
  ];
  assert.deepEqual(versionsOf('coi-a', names), ['coi-a-20270101-000000', 'coi-a-20260101-000000']);
});
