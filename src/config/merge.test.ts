import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type KeyName, keyNames, keyOf, type PartialSettings } from './keys/table.ts';
import { mergeLayers } from './merge.ts';
import type { Layer, Origin } from './origin.ts';

const home = '/home/u';
const layer = (values: PartialSettings, origin: Origin = { kind: 'flag' }): Layer => ({
  values,
  origin: () => origin,
});
const settingsOf = (...values: PartialSettings[]) =>
  mergeLayers(
    values.map((one) => layer(one)),
    home,
  ).settings;

test('without layers every key has its default, with ~ expanded', () => {
  const { settings, origins } = mergeLayers([], home);
  assert.equal(settings['container.image'], 'coi-default');
  assert.equal(settings['container.persistent'], undefined);
  assert.equal(settings['paths.logs_dir'], '/home/u/.coi/logs');
  for (const name of keyNames) assert.deepEqual(origins[name], [{ kind: 'default' }], name);
});

test('an empty string and a zero do not override, but false does', () => {
  const settings = settingsOf(
    {
      'container.image': 'a',
      'limits.cpu.priority': 5,
      'container.persistent': true,
      'network.refresh_interval_minutes': 9,
    },
    {
      'container.image': '',
      'limits.cpu.priority': 0,
      'container.persistent': false,
      'network.refresh_interval_minutes': 0,
    },
  );
  assert.equal(settings['container.image'], 'a');
  assert.equal(settings['limits.cpu.priority'], 5);
  assert.equal(settings['container.persistent'], false);
  assert.equal(settings['network.refresh_interval_minutes'], 0, '0 switches refreshing off');
});

test('a switch that can only be turned on stays on', () => {
  const key = 'paths.preserve_workspace_path';
  assert.equal(settingsOf({ [key]: true }, { [key]: false })[key], true);
  assert.equal(settingsOf({ [key]: false }, { [key]: true })[key], true);
});

test('lists are appended, replaced or deduplicated as their key defines', () => {
  const settings = settingsOf(
    {
      'defaults.forward_env': ['A', 'B'],
      'security.protected_paths': ['x'],
      'security.additional_protected_paths': ['p'],
    },
    {
      'defaults.forward_env': ['B', 'C'],
      'security.protected_paths': ['y'],
      'security.additional_protected_paths': ['p'],
    },
  );
  assert.deepEqual(settings['defaults.forward_env'], ['A', 'B', 'C']);
  assert.deepEqual(settings['security.protected_paths'], ['y']);
  assert.deepEqual(settings['security.additional_protected_paths'], ['p', 'p']);
});

test('variables are merged by name, ports by port', () => {
  const port = (name: string, container: number) => ({
    name,
    container,
    host: 0,
    listen: '127.0.0.1',
  });
  const settings = settingsOf(
    { 'defaults.environment': { A: '1', B: '1' }, 'ports.map': [port('web', 1), port('db', 2)] },
    { 'defaults.environment': { B: '2', C: '' }, 'ports.map': [port('web', 3)] },
  );
  assert.deepEqual(settings['defaults.environment'], { A: '1', B: '2', C: '' });
  assert.deepEqual(settings['ports.map'], [port('db', 2), port('web', 3)]);
});

test('the origin is the strongest layer, or all layers of a merged value', () => {
  const file: Origin = { kind: 'file', path: '/f', line: 3 };
  const { origins } = mergeLayers(
    [
      layer({ 'container.image': 'a', 'defaults.forward_env': ['A'] }, file),
      layer({ 'container.image': 'b', 'defaults.forward_env': ['B'] }),
    ],
    home,
  );
  assert.deepEqual(origins['container.image'], [{ kind: 'flag' }]);
  assert.deepEqual(origins['defaults.forward_env'].at(-1), { kind: 'flag' });
  assert.ok(origins['defaults.forward_env'].includes(file));
});

test('an empty layer changes nothing, and merging stepwise equals merging at once', () => {
  const values = fc.record(
    {
      'container.image': fc.constantFrom('', 'a', 'b'),
      'container.persistent': fc.boolean(),
      'limits.cpu.priority': fc.integer({ min: 0, max: 10 }),
      'defaults.forward_env': fc.array(fc.constantFrom('A', 'B', 'C')),
      'defaults.environment': fc.dictionary(
        fc.constantFrom('A', 'B'),
        fc.constantFrom('', '1', '2'),
      ),
      'security.additional_protected_paths': fc.array(fc.constantFrom('p', 'q')),
      'security.disable_protection': fc.boolean(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(values, { maxLength: 4 }), values, (below, top) => {
      const all = [...below, top] as PartialSettings[];
      const { settings } = mergeLayers(
        all.map((one) => layer(one)),
        home,
      );
      assert.deepEqual(
        mergeLayers([layer({}), ...all.map((one) => layer(one)), layer({})], home).settings,
        settings,
      );
      // For every key that does not grow, the strongest layer that sets it wins.
      for (const key of Object.keys(top) as (keyof typeof top & KeyName)[]) {
        if (keyOf(key).merge === 'replace') assert.equal(settings[key], top[key]);
      }
      assert.equal(
        new Set(settings['defaults.forward_env']).size,
        settings['defaults.forward_env'].length,
      );
    }),
  );
});
