// Containers that cannot be paused at the first try, or not at all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFakeIncus } from '../../../test/fakes/incus/server.ts';
import { CoiError } from '../../errors.ts';
import { openIncus } from '../../incus/open.ts';
import { containerOf } from '../../session/record/instance-record.ts';
import { whileFrozen } from './while-frozen.ts';

async function openFake(t: { after(work: () => Promise<void>): void }, failures: number) {
  const fake = await startFakeIncus();
  const incus = openIncus({ socketPath: fake.socketPath });
  t.after(async () => {
    incus.close();
    await fake.close();
  });
  fake.state.addInstance('c', { status: 'Running' });
  const fault = { kind: 'fail-operation', message: 'freezing the container failed' } as const;
  for (let nth = 1; nth <= failures; nth += 1)
    // The resume request comes between the tries.
    fake.faults.inject({ method: 'PUT', path: /state/, nth: 2 * nth - 1, fault });
  const found = await incus.instance('c');
  assert.ok(found);
  const { instance } = found;
  const container = containerOf(instance, undefined);
  const warned: string[] = [];
  const app = { incus: async () => incus, report: { warn: (text: string) => warned.push(text) } };
  const status = () => fake.state.instances.get('c')?.status;
  const run = () => whileFrozen(app, container, async () => status());
  return { run, status, warned };
}

test('a container is paused during the work and resumed afterwards', async (t) => {
  const { run, status, warned } = await openFake(t, 0);
  assert.equal(await run(), 'Frozen');
  assert.equal(status(), 'Running');
  assert.deepEqual(warned, []);
});

test('a pause that Incus could not do is requested once more', async (t) => {
  const { run, status } = await openFake(t, 1);
  assert.equal(await run(), 'Frozen');
  assert.equal(status(), 'Running');
});

test('a container that cannot be paused keeps running and the work is not done', async (t) => {
  const { run, status } = await openFake(t, 2);
  await assert.rejects(
    run(),
    (error) =>
      error instanceof CoiError && /pausing c failed: freezing the container/.test(error.message),
  );
  assert.equal(status(), 'Running');
});
