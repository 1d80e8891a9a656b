// The client if an instance is busy with another operation.
import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { startFakeIncus } from '../../test/fakes/incus/server.ts';
import { IncusError } from './client.ts';
import { openIncus } from './open.ts';

async function startInstance(t: TestContext) {
  const fake = await startFakeIncus({});
  const incus = openIncus({ socketPath: fake.socketPath });
  t.after(async () => {
    incus.close();
    await fake.close();
  });
  fake.state.addInstance('c', { status: 'Running' });
  return {
    refuse: (message: string, nth = 1) =>
      fake.faults.inject({
        method: 'PUT',
        path: /state$/,
        nth,
        fault: { kind: 'fail-operation', message },
      }),
    stop: async (signal?: AbortSignal) => {
      const operation = await incus.changeState('c', { action: 'stop', force: true });
      await operation.wait(signal ? { signal } : {});
    },
    putCount: () => fake.requests.filter((request) => request.startsWith('PUT')).length,
  };
}

it('only a stop that is refused because the instance is being changed is requested again', async (t) => {
  const { refuse, stop, putCount: asked } = await startInstance(t);
  refuse('Instance is busy running a "stop" operation');
  await assert.rejects(stop(), (error) => error instanceof IncusError && error.status === 400);
  assert.equal(asked(), 1);
  refuse('Instance is busy running a "update" operation');
  await stop();
  assert.equal(asked(), 3);
});

it("an interrupted stop of an instance that is being changed rejects with the signal's reason", async (t) => {
  const { refuse, stop, putCount: asked } = await startInstance(t);
  for (let nth = 1; nth <= 9; nth += 1)
    refuse('Instance is busy running a "update" operation', nth);
  const controller = new AbortController();
  const reason = new Error('interrupted');
  const stopping = stop(controller.signal);
  setTimeout(() => controller.abort(reason), 120);
  await assert.rejects(stopping, reason);
  assert.ok(asked() < 9);
});
