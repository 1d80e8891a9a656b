// What the client does when an instance is in the middle of something.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startFakeIncus } from '../../test/fakes/incus/server.ts';
import { IncusError } from './client.ts';
import { openIncus } from './open.ts';

it('a stop that is refused because the instance is being changed is asked for again, any other is not', async (t) => {
  const fake = await startFakeIncus({});
  const incus = openIncus({ socketPath: fake.socketPath });
  t.after(async () => {
    incus.close();
    await fake.close();
  });
  fake.state.addInstance('c', { status: 'Running' });
  const refuse = (message: string) =>
    fake.faults.inject({
      method: 'PUT',
      path: /state$/,
      nth: 1,
      fault: { kind: 'fail-operation', message },
    });
  const stop = async () => (await incus.changeState('c', { action: 'stop', force: true })).wait();
  const asked = () => fake.requests.filter((request) => request.startsWith('PUT')).length;
  refuse('Instance is busy running a "stop" operation');
  await assert.rejects(stop(), (error) => error instanceof IncusError && error.status === 400);
  assert.equal(asked(), 1);
  refuse('Instance is busy running a "update" operation');
  await stop();
  assert.equal(asked(), 3);
});
