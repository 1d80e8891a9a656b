import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigPlace } from '../../test/bed/config-place.ts';
import { hostFiles } from '../host/files.ts';
import { npmRegistryEntry } from './keys-reach.ts';
import { allowedDomains, configuredRegistry, npmrcRegistry, registryHost } from './npm-registry.ts';

test('the last registry of an .npmrc counts, with its variables, and no other key', () => {
  const text =
    '//packages.example.org/:_authToken=secret\nregistry=https://one.example.org/\n@scope:registry=https://scope.example.org\n  registry = "https://$' +
    '{HOST}:8443/npm/" \n; registry=https://comment.example.org\n';
  assert.equal(
    npmrcRegistry(text, { HOST: 'two.example.org' }),
    'https://two.example.org:8443/npm/',
  );
  assert.equal(npmrcRegistry('', {}), undefined);
});

test('of an address only host and port are kept', () => {
  assert.equal(
    registryHost('https://user:password@packages.example.org:8443/path'),
    'packages.example.org:8443',
  );
  for (const wrong of ['', 'packages', 'file:///etc', undefined])
    assert.equal(registryHost(wrong), undefined);
});

test('a variable wins over the file; without both nothing is said', () => {
  using place = new ConfigPlace();
  const registry = (env: Record<string, string> = {}) =>
    configuredRegistry({ home: place.home, env }, hostFiles);
  assert.equal(registry(), undefined);
  place.write(`${place.home}/.npmrc`, 'registry=https://file.example.org/\n');
  assert.equal(registry(), 'file.example.org');
  assert.equal(
    registry({ npm_config_registry: 'https://variable.example.org' }),
    'variable.example.org',
  );
});

test('the entry is replaced where the list has it, and nobody is asked where it has not', async () => {
  const never = () => Promise.reject(new Error('asked'));
  assert.deepEqual(await allowedDomains(['a'], never), ['a']);
  assert.deepEqual(await allowedDomains([npmRegistryEntry, 'a'], async () => 'r'), ['r', 'a']);
  assert.deepEqual(await allowedDomains([npmRegistryEntry, 'a'], async () => undefined), ['a']);
});
