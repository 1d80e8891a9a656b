import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config, Devices, Instance } from '../../incus/shapes.ts';
import { type AdoptedInfo, adoptContainer, type Owner } from './adopted-container.ts';
import { findContainer } from './find-container.ts';
import { coiContainers } from './instance-record.ts';

const beside = {
  ownerOf: (workspace: string): Owner => (workspace === '/w' ? 1000 : 'nobody'),
  persistentOf: (name: string) => ({ 'coi-aaaaaaaa-1': true, 'coi-aaaaaaaa-2': false })[name],
};
const mounted = (source: string): Devices => ({ workspace: { type: 'disk', source } });
const instance = (name: string, config: Config = {}, devices: Devices = {}) =>
  ({ name, status: 'Running', config, devices }) as Instance;
const known = (...about: Parameters<typeof instance>): AdoptedInfo =>
  adoptContainer(instance(...about), beside);

test("an adopted container belongs to its launcher, or else to its workspace's owner", () => {
  const launched = known('coi-x', { 'user.coi.owner': '1001' });
  assert.deepEqual([launched.owner, launched.persistent], [1001, false]);
  assert.equal(known('coi-aaaaaaaa-1', {}, mounted('/w')).owner, 1000);
  assert.equal(known('coi-aaaaaaaa-1', {}, mounted('/gone')).owner, 'nobody');
  assert.equal(known('coi-x').owner, 'nobody');
  for (const text of ['', '-1', '0x10', '1e3', 'root'])
    assert.equal(known('coi-x', { 'user.coi.owner': text }).owner, 'nobody', text);
});

test('an adopted container is persistent by its saved session, its own key, or default', () => {
  const isPersistent = (name: string, config: Config = {}) =>
    known(name, config, mounted('/w')).persistent;
  assert.deepEqual(
    ['coi-aaaaaaaa-1', 'coi-aaaaaaaa-2', 'coi-aaaaaaaa-3'].map((name) => isPersistent(name)),
    [true, false, true],
  );
  assert.equal(isPersistent('coi-aaaaaaaa-2', { 'user.coi.persistent': 'true' }), true);
  assert.equal(known('coi-x').persistent, true);
});

test('of containers with the prefix, a user sees their own and may name those without an owner', () => {
  const all = [
    instance('coi-aaaaaaaa-2', { 'user.coi.alias': 'web' }, mounted('/w')),
    instance('coi-nobodys', { 'user.coi.alias': 'old' }),
    instance('other-aaaaaaaa-2', {}, mounted('/w')),
  ];
  const names = (uid: number | undefined) =>
    coiContainers(all, 'coi-', uid, beside).map(({ name }) => name);
  assert.deepEqual(names(1000), ['coi-aaaaaaaa-2', 'coi-nobodys']);
  assert.deepEqual(names(1001), ['coi-nobodys']);
  assert.deepEqual(names(undefined), ['coi-aaaaaaaa-2', 'coi-nobodys']);
  const mine = coiContainers(all, 'coi-', 1000, beside);
  const found = (word: string) => findContainer({ prefix: 'coi-' }, mine, word)?.name;
  assert.deepEqual(['web', 'web-2', 'web-1', 'old', 'coi-nobodys'].map(found), [
    'coi-aaaaaaaa-2',
    'coi-aaaaaaaa-2',
    undefined,
    undefined,
    'coi-nobodys',
  ]);
});
