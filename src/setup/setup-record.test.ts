import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthyState } from '../../test/fakes/host-states.ts';
import { FakeHost } from '../../test/fakes/machine.ts';
import { checks } from './checks.ts';
import { runSetup } from './setup.ts';
import {
  emptySetupRecord,
  parseSetupRecord,
  readSetupRecord,
  recordCreated,
  recordRemoved,
} from './setup-record.ts';

const record = '/var/lib/coi/setup.json';
const quiet = { checks, onEvent: () => {}, elapsedMs: () => 0 };

test('setup records what it created, but nothing that existed before', async () => {
  const host = new FakeHost({ caller: { name: 'ann', uid: 1000 }, groups: [1000] });
  await runSetup(host.context(), quiet);
  const made = await readSetupRecord(host);
  assert.deepEqual(made?.members, ['ann']);
  assert.deepEqual(made?.idLines, [
    { path: '/etc/subuid', line: 'root:600113152:1000000000' },
    { path: '/etc/subgid', line: 'root:600113152:1000000000' },
  ]);
  assert.ok(made?.packages.includes('incus-base'));
  // This host has them already (test/fakes/host-states.ts).
  assert.ok(!made?.packages.includes('ca-certificates'));
  assert.equal(made?.group, false);
  assert.ok(
    host.ran.indexOf(`write ${record}`) < host.ran.findIndex((line) => /^apt-get/.test(line)),
  );
});

test('a host that needs nothing gets no record', async () => {
  const host = new FakeHost(healthyState);
  await runSetup(host.context(), quiet);
  assert.equal(host.files.has(record), false);
});

test('an item is recorded once, and removed from the record when it is gone', async () => {
  const host = new FakeHost();
  const line = { path: '/etc/subuid', line: 'root:1:2' };
  await recordCreated(host, { packages: ['a', 'b'], idLines: [line], link: 'x' });
  await recordCreated(host, { packages: ['b', 'c'], idLines: [line], group: true });
  assert.deepEqual(await readSetupRecord(host), {
    ...{ packages: ['a', 'b', 'c'], idLines: [line], group: true, members: [], link: 'x' },
  });
  await recordRemoved(host, { packages: ['a', 'c'], idLines: [line], link: true });
  assert.deepEqual(await readSetupRecord(host), {
    ...emptySetupRecord,
    packages: ['b'],
    group: true,
  });
});

test('an invalid record has no entries', () => {
  for (const text of ['', '{', '[]', '{"packages":"all","members":[],"idLines":[]}', 'null'])
    assert.equal(parseSetupRecord(text), undefined, text);
});
