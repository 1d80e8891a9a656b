import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressIn, isNewer } from './version.ts';

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

test('the address is the homepage, else the page of the repository, else none', () => {
  const repository = { url: 'git+https://code.example/coi.git' };
  assert.equal(addressIn({ repository }), 'https://code.example/coi');
  assert.equal(addressIn({ repository: 'https://code.example/coi' }), 'https://code.example/coi');
  assert.equal(addressIn({ homepage: 'https://coi.example', repository }), 'https://coi.example');
  for (const url of ['git@code.example:coi.git', 'file:///srv/coi', '']) {
    assert.equal(addressIn({ repository: url }), undefined, url);
  }
  assert.equal(addressIn({}), undefined);
});
