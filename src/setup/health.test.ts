// The judgements of the checks that only `coi health` makes, on facts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configFinding, postureFinding } from './checks/configured.ts';
import { ageFinding, directoryFinding } from './checks/kept.ts';
import { checks } from './checks.ts';
import { healthChecks, verboseChecks } from './health-checks.ts';

test('every check of setup is one of health, and each id is there once', () => {
  const ids = [...healthChecks, ...verboseChecks].map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { id } of checks) assert.ok(ids.includes(id), id);
  assert.ok(verboseChecks.every(({ fix }) => fix === undefined));
});

test('a configuration is judged by whether it is read, waits, or warns', () => {
  const loaded = { kind: 'loaded', settings: {} as never, warnings: [], waiting: 0 } as const;
  assert.equal(configFinding(loaded).status, 'ok');
  assert.equal(configFinding({ ...loaded, waiting: 2 }).status, 'warning');
  assert.match(configFinding({ ...loaded, warnings: ['odd'] }).message, /odd/);
  const broken = configFinding({ kind: 'broken', message: 'line 3', hint: undefined });
  assert.deepEqual([broken.status, broken.message], ['failed', 'line 3']);
});

test('protection that is switched off is a warning that names what', () => {
  const posture = (more: object) =>
    postureFinding({
      'security.disable_protection': false,
      'security.protection': 'guard',
      'git.writable_hooks': false,
      ...more,
    });
  assert.equal(posture({}).status, 'ok');
  assert.match(posture({ 'git.writable_hooks': true }).message, /git hooks/);
  assert.match(posture({ 'security.disable_protection': true }).message, /no path is protected/);
});

test('a directory may be missing, but not be in the way', () => {
  const at = (facts: Parameters<typeof directoryFinding>[1], writable = true) =>
    directoryFinding('/h/.coi', facts, 5, writable).status;
  const directory = { kind: 'directory', real: '/h/.coi', owner: { uid: 0, gid: 0 } } as const;
  assert.equal(at({ kind: 'missing' }), 'ok');
  assert.equal(at(directory), 'ok');
  assert.equal(at(directory, false), 'failed');
  assert.equal(at({ kind: 'file' }), 'failed');
  assert.equal(at({ kind: 'unreadable' }), 'failed');
});

test('an image is too old after thirty days', () => {
  const days = (count: number) => ageFinding('coi-default', count * 24 * 3_600_000).status;
  assert.deepEqual([days(0), days(30), days(31)], ['ok', 'ok', 'warning']);
});
