// Ending containers, also if others end them at the same time or Incus refuses.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openFakeIncus } from '../../../test/fakes/incus/open.ts';
import type { FakeIncus } from '../../../test/fakes/incus/server.ts';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import { CoiError } from '../../errors.ts';
import {
  deleteStopped,
  type GracefulStop,
  killContainer,
  shutDownContainer,
  stopContainer,
} from './end-container.ts';

async function openFake(t: { after(work: () => Promise<void>): void }) {
  const { fake, incus } = await openFakeIncus(t);
  const { signal } = new AbortController();
  const forced: string[] = [];
  const graceful: GracefulStop = {
    timeoutMs: 10_000,
    signal,
    forced: (reason) => forced.push(reason),
  };
  const changes = () => fake.requests.filter((request) => !request.startsWith('GET'));
  return { fake, incus, signal, graceful, forced, changes };
}

/** The guest does not end. */
function failFirstStop({ faults }: FakeIncus): void {
  faults.inject({
    method: 'PUT',
    path: /state/,
    nth: 1,
    fault: { kind: 'fail-operation', message: 'no' },
  });
}

const configOf = (reservation: string) =>
  sessionConfig({ owner: 0, mounts: { id: reservation, ownerUid: 0, ownerGid: 0 } });

/** A container that coi did not make. */
const bare = (name: string) => ({ name, mountsId: undefined });

const refuse = { kind: 'fail', status: 500, message: 'no' } as const;

describe('killing', () => {
  it('killing a running container takes two calls, and Incus deletes it', async (t) => {
    const { fake, incus, signal, changes } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running' });
    assert.equal(await killContainer(incus, bare('c'), signal), 'removed');
    assert.ok(!fake.state.instances.has('c'));
    assert.deepEqual(changes(), ['PATCH /1.0/instances/c', 'PUT /1.0/instances/c/state']);
  });

  it('killing deletes a stopped container and accepts a missing one', async (t) => {
    const { fake, incus, signal, changes } = await openFake(t);
    fake.state.addInstance('c');
    assert.equal(await killContainer(incus, bare('c'), signal), 'removed');
    assert.equal(await killContainer(incus, bare('c'), signal), 'was-gone');
    assert.deepEqual(changes(), ['DELETE /1.0/instances/c']);
  });

  it('killing a container that cannot be changed stops it first and deletes it afterwards', async (t) => {
    const { fake, incus, signal } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running' });
    fake.faults.inject({ method: 'PATCH', path: /instances/, nth: 1, fault: refuse });
    assert.equal(await killContainer(incus, bare('c'), signal), 'removed');
    assert.ok(!fake.state.instances.has('c'));
  });

  it('killing a new container that could not be deleted yet ends it when it runs', async (t) => {
    const { fake, incus, signal } = await openFake(t);
    const instance = fake.state.addInstance('c');
    fake.faults.inject({ method: 'DELETE', path: /instances/, nth: 1, fault: refuse });
    const killed = killContainer(incus, bare('c'), signal);
    instance.status = 'Running';
    assert.equal(await killed, 'removed');
    assert.ok(!fake.state.instances.has('c'));
  });

  it('killing leaves a later container of the same name alone', async (t) => {
    const { fake, incus, signal, graceful, changes } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running', config: configOf('later') });
    assert.equal(
      await killContainer(incus, { name: 'c', mountsId: 'earlier' }, signal),
      'was-gone',
    );
    const earlier = { name: 'c', mountsId: 'earlier' };
    assert.equal(await shutDownContainer(incus, earlier, graceful), 'was-gone');
    assert.deepEqual(changes(), []);
    assert.equal(await killContainer(incus, { name: 'c', mountsId: 'later' }, signal), 'removed');
  });

  it('killing only-if-stopped does not delete a container that was started meanwhile', async (t) => {
    const { fake, incus, signal, changes } = await openFake(t);
    const instance = fake.state.addInstance('c', { status: 'Running' });
    assert.equal(await deleteStopped(incus, bare('c'), signal), 'runs');
    assert.deepEqual(changes(), []);
    instance.status = 'Stopped';
    fake.faults.inject({ method: 'DELETE', path: /instances/, nth: 1, fault: refuse });
    const requested = fake.nextRequest('DELETE', /instances/);
    const deleting = deleteStopped(incus, bare('c'), signal);
    await requested;
    instance.status = 'Running';
    assert.equal(await deleting, 'runs');
    assert.equal(instance.status, 'Running');
    instance.status = 'Stopped';
    assert.equal(await deleteStopped(incus, bare('c'), signal), 'removed');
  });

  it("a container that cannot be killed is an error with Incus's message", async (t) => {
    const { fake, incus, signal } = await openFake(t);
    fake.state.addInstance('c');
    for (let nth = 1; nth <= 10; nth += 1)
      fake.faults.inject({
        method: 'DELETE',
        path: /instances/,
        nth,
        fault: { ...refuse, message: 'pool is busy' },
      });
    await assert.rejects(
      killContainer(incus, bare('c'), signal),
      (error) =>
        error instanceof CoiError &&
        error.code === 'incus-failed' &&
        /pool is busy/.test(error.message),
    );
  });

  it('killing is not retried when the daemon is lost', async (t) => {
    const { fake, incus, signal, changes } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running' });
    fake.faults.inject({
      method: 'PUT',
      path: /state/,
      nth: 1,
      fault: { kind: 'drop', when: 'before' },
    });
    await assert.rejects(
      killContainer(incus, bare('c'), signal),
      (error) => error instanceof CoiError && error.code === 'incus-unreachable',
    );
    assert.equal(changes().length, 2);
  });
});

describe('stopping a persistent container', () => {
  it('stopping shuts the guest down and keeps the container', async (t) => {
    const { fake, incus, graceful, forced } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running' });
    await stopContainer(incus, bare('c'), graceful);
    assert.equal(fake.state.instances.get('c')?.status, 'Stopped');
    assert.deepEqual(forced, []);
    await stopContainer(incus, bare('c'), graceful);
    await stopContainer(incus, bare('gone'), graceful);
  });

  it('stopping uses force if the guest does not end, says so and keeps the container', async (t) => {
    const { fake, incus, graceful, forced } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running' });
    failFirstStop(fake);
    await stopContainer(incus, bare('c'), graceful);
    assert.equal(fake.state.instances.get('c')?.status, 'Stopped');
    assert.deepEqual(forced, ['timeout']);
  });
});

describe('shutting down', () => {
  it('shutting down ends the guest without force', async (t) => {
    const { fake, incus, graceful, forced } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running' });
    assert.equal(await shutDownContainer(incus, bare('c'), graceful), 'removed');
    assert.ok(!fake.state.instances.has('c'));
    assert.deepEqual(forced, []);
  });

  it('shutting down uses force if the guest does not end, and still deletes the container', async (t) => {
    const { fake, incus, graceful, forced } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running' });
    failFirstStop(fake);
    await shutDownContainer(incus, bare('c'), graceful);
    assert.ok(!fake.state.instances.has('c'));
    assert.deepEqual(forced, ['timeout']);
  });

  it('shutting down uses force at once with a limit of 0 and for a paused container', async (t) => {
    const { fake, incus, graceful, forced } = await openFake(t);
    fake.state.addInstance('a', { status: 'Running' });
    fake.state.addInstance('b', { status: 'Frozen' });
    await shutDownContainer(incus, bare('a'), { ...graceful, timeoutMs: 0 });
    await shutDownContainer(incus, bare('b'), graceful);
    assert.equal(fake.state.instances.size, 0);
    assert.deepEqual(forced, ['timeout', 'paused']);
  });

  it('an interrupted shutdown leaves a running container as it was', async (t) => {
    const { fake, incus, graceful } = await openFake(t);
    const instance = fake.state.addInstance('c', { status: 'Running' });
    const controller = new AbortController();
    const release = Promise.withResolvers<void>();
    fake.faults.inject({
      method: 'PUT',
      path: /state/,
      nth: 1,
      fault: { kind: 'hold', until: release.promise, when: 'before' },
    });
    const requested = fake.nextRequest('PUT', /state/);
    const stopping = shutDownContainer(incus, bare('c'), {
      ...graceful,
      signal: controller.signal,
    });
    await requested;
    const reason = new CoiError('cancelled', 'interrupted');
    controller.abort(reason);
    await assert.rejects(stopping, reason);
    assert.equal(instance.ephemeral, false);
    release.resolve();
  });
});
