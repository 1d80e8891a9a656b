// What a finding causes reaches the container that was found out, and not a later one of its name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeIncus } from '../../../test/fakes/incus/server.ts';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import { openIncus } from '../../incus/open.ts';
import { insist } from './effects.ts';

const configOf = (id: string) =>
  sessionConfig({
    ...{ workspace: '/w', target: '/workspace', slot: 1, tool: 'claude', session: 's', owner: 0 },
    ...{ persistent: false, alias: undefined, profile: undefined },
    network: 'open',
    phase: 'live',
    mounts: { id, runDir: '/r', ownerUid: 0, ownerGid: 0, idmapBase: 1, mounts: [] },
  });
const stop = { action: 'stop', force: true, timeout: 30 } as const;

async function opened(t: { after(work: () => Promise<void>): void }) {
  const fake = await startFakeIncus();
  const incus = openIncus({ socketPath: fake.socketPath });
  t.after(async () => {
    incus.close();
    await fake.close();
  });
  return { fake, parts: { incus, signal: new AbortController().signal } };
}

test('a kill or pause of a container that is gone leaves the later one of its name alone', async (t) => {
  const { fake, parts } = await opened(t);
  const later = fake.state.addInstance('c', { status: 'Running', config: configOf('later') });
  const earlier = { name: 'c', mountsId: 'earlier' };
  await insist(parts, earlier, stop, ['Stopped']);
  await insist(parts, earlier, { action: 'freeze' }, ['Frozen', 'Stopped']);
  assert.equal(later.status, 'Running');
  assert.deepEqual(
    fake.requests.filter((request) => !request.startsWith('GET')),
    [],
  );
  await insist(parts, { name: 'c', mountsId: 'later' }, stop, ['Stopped']);
  assert.equal(later.status, 'Stopped');
});

test('a kill that Incus refused is not made again of the later one', async (t) => {
  const { fake, parts } = await opened(t);
  fake.state.addInstance('c', { status: 'Running', config: configOf('earlier') });
  const refused = { kind: 'fail', status: 500, message: 'no' } as const;
  fake.faults.inject({ method: 'PUT', path: /state/, nth: 1, fault: refused });
  const asked = fake.nextRequest('PUT', /state/);
  const killing = insist(parts, { name: 'c', mountsId: 'earlier' }, stop, ['Stopped']);
  await asked;
  fake.state.instances.delete('c');
  const later = fake.state.addInstance('c', { status: 'Running', config: configOf('later') });
  await killing;
  assert.equal(later.status, 'Running');
});
