import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeOf, removals } from './packages.ts';

test('what apt would remove is read from its simulation', () => {
  const text = [
    'NOTE: This is only a simulation!',
    'The following packages will be REMOVED:',
    '  podman uidmap',
    'Remv podman [4.3.1+ds1-8] [buildah:amd64 ]',
    'Remv uidmap:amd64 [1:4.13]',
  ].join('\n');
  assert.deepEqual(removals(text), ['podman', 'uidmap']);
});

test('what would take along something of others stays, and so does what that needs', () => {
  const all = new Map([
    ['incus-base', ['incus-base']],
    ['uidmap', ['incus-base', 'podman', 'uidmap']],
    ['nftables', ['incus-base', 'nftables']],
    ['lxcfs', ['lxcfs']],
  ]);
  assert.deepEqual(freeOf([...all.keys()], all), ['incus-base', 'nftables', 'lxcfs']);
  all.set('incus-base', ['incus-base', 'incus-ui']);
  assert.deepEqual(freeOf([...all.keys()], all), ['lxcfs']);
  assert.deepEqual(freeOf([], all), []);
});
