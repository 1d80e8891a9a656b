import assert from 'node:assert/strict';
import { test } from 'node:test';
import { independentPackages, parseRemovals } from './packages.ts';

test('the packages that apt would remove are read from its simulation', () => {
  const text = [
    'NOTE: This is only a simulation!',
    'The following packages will be REMOVED:',
    '  podman uidmap',
    'Remv podman [4.3.1+ds1-8] [buildah:amd64 ]',
    'Remv uidmap:amd64 [1:4.13]',
  ].join('\n');
  assert.deepEqual(parseRemovals(text), ['podman', 'uidmap']);
});

test('a package whose removal affects others stays, and so do its dependencies', () => {
  const all = new Map([
    ['incus-base', ['incus-base']],
    ['uidmap', ['incus-base', 'podman', 'uidmap']],
    ['nftables', ['incus-base', 'nftables']],
    ['lxcfs', ['lxcfs']],
  ]);
  assert.deepEqual(independentPackages([...all.keys()], all), ['incus-base', 'nftables', 'lxcfs']);
  all.set('incus-base', ['incus-base', 'incus-ui']);
  assert.deepEqual(independentPackages([...all.keys()], all), ['lxcfs']);
  assert.deepEqual(independentPackages([], all), []);
});
