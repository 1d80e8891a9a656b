import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wellState } from '../../test/fakes/host-states.ts';
import { FakeHost } from '../../test/fakes/machine.ts';
import { checks } from './checks.ts';
import { noteGone, noteMade, nothingMade, parseMade, readMade } from './made.ts';
import { mend } from './setup.ts';

const record = '/var/lib/coi/setup.json';
const quiet = { checks, tell: () => {}, elapsedMs: () => 0 };

test('setup writes down what the things themselves do not tell, and nothing that was there', async () => {
  const host = new FakeHost({ caller: { name: 'ann', uid: 1000 }, groups: [1000] });
  await mend(host.ground(), quiet);
  const made = await readMade(host);
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
  const host = new FakeHost(wellState);
  await mend(host.ground(), quiet);
  assert.equal(host.files.has(record), false);
});

test('what is noted is added once, and goes from the record when it is gone', async () => {
  const host = new FakeHost();
  const line = { path: '/etc/subuid', line: 'root:1:2' };
  await noteMade(host, { packages: ['a', 'b'], idLines: [line], link: 'x' });
  await noteMade(host, { packages: ['b', 'c'], idLines: [line], group: true });
  assert.deepEqual(await readMade(host), {
    ...{ packages: ['a', 'b', 'c'], idLines: [line], group: true, members: [], link: 'x' },
  });
  await noteGone(host, { packages: ['a', 'c'], idLines: [line], link: true });
  assert.deepEqual(await readMade(host), { ...nothingMade, packages: ['b'], group: true });
});

test('what is no record names nothing', () => {
  for (const text of ['', '{', '[]', '{"packages":"all","members":[],"idLines":[]}', 'null'])
    assert.equal(parseMade(text), undefined, text);
});
