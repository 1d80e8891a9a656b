// A finding acts on the container that it was found in, not on a later one of the same name.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFakeIncus } from '../../../test/fakes/incus/open.ts';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import { changeStateWithRetry } from './effects.ts';

const configOf = (id: string) =>
  sessionConfig({ owner: 0, mounts: { id, ownerUid: 0, ownerGid: 0 } });
const stop = { action: 'stop', force: true, timeout: 30 } as const;

async function openFake(t: { after(work: () => Promise<void>): void }) {
  const { fake, incus } = await openFakeIncus(t);
  return { fake, parts: { incus, signal: new AbortController().signal } };
}

test('killing or pausing a container that is gone does not affect its successor of the same name', async (t) => {
  const { fake, parts } = await openFake(t);
  const later = fake.state.addInstance('c', { status: 'Running', config: configOf('later') });
  const earlier = { name: 'c', mountsId: 'earlier' };
  await changeStateWithRetry(parts, earlier, stop, ['Stopped']);
  await changeStateWithRetry(parts, earlier, { action: 'freeze' }, ['Frozen', 'Stopped']);
  assert.equal(later.status, 'Running');
  assert.deepEqual(
    fake.requests.filter((request) => !request.startsWith('GET')),
    [],
  );
  await changeStateWithRetry(parts, { name: 'c', mountsId: 'later' }, stop, ['Stopped']);
  assert.equal(later.status, 'Stopped');
});

test('a kill that Incus refused is not repeated on a successor of the same name', async (t) => {
  const { fake, parts } = await openFake(t);
  fake.state.addInstance('c', { status: 'Running', config: configOf('earlier') });
  const refused = { kind: 'fail', status: 500, message: 'no' } as const;
  fake.faults.inject({ method: 'PUT', path: /state/, nth: 1, fault: refused });
  const requested = fake.nextRequest('PUT', /state/);
  const killing = changeStateWithRetry(parts, { name: 'c', mountsId: 'earlier' }, stop, [
    'Stopped',
  ]);
  await requested;
  fake.state.instances.delete('c');
  const later = fake.state.addInstance('c', { status: 'Running', config: configOf('later') });
  await killing;
  assert.equal(later.status, 'Running');
});
