import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNewer, projectAddress } from './version.ts';

test('releases compare by number, and a release is newer than its development build', () => {
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

test('the address is the homepage, else the repository page, else none', () => {
  const repository = { url: 'git+https://code.example/coi.git' };
  assert.equal(projectAddress({ repository }), 'https://code.example/coi');
  assert.equal(
    projectAddress({ repository: 'https://code.example/coi' }),
    'https://code.example/coi',
  );
  assert.equal(
    projectAddress({ homepage: 'https://coi.example', repository }),
    'https://coi.example',
  );
  for (const url of ['git@code.example:coi.git', 'file:///srv/coi', '']) {
    assert.equal(projectAddress({ repository: url }), undefined, url);
  }
  assert.equal(projectAddress({}), undefined);
});
