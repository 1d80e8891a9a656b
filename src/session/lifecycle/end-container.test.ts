// Ending containers, also when others do it at the same time or Incus will not.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startFakeIncus } from '../../../test/fakes/incus/server.ts';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import { CoiError } from '../../errors.ts';
import { openIncus } from '../../incus/open.ts';
import {
  deleteStopped,
  type GracefulStop,
  killContainer,
  shutDownContainer,
  stopContainer,
} from './end-container.ts';

async function opened(t: { after(work: () => Promise<void>): void }) {
  const fake = await startFakeIncus();
  const incus = openIncus({ socketPath: fake.socketPath });
  t.after(async () => {
    incus.close();
    await fake.close();
  });
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

const configOf = (reservation: string) =>
  sessionConfig({
    ...{ workspace: '/w', target: '/workspace', slot: 1, tool: 'claude', session: 's', owner: 0 },
    ...{ persistent: false, alias: undefined, profile: undefined },
    network: 'open',
    phase: 'live',
    mounts: { id: reservation, runDir: '/r', ownerUid: 0, ownerGid: 0, idmapBase: 1, mounts: [] },
  });

/** One that coi did not make. */
const bare = (name: string) => ({ name, mountsId: undefined });

const refuse = { kind: 'fail', status: 500, message: 'no' } as const;

describe('killing', () => {
  it('a running one takes two calls, and Incus deletes it by itself', async (t) => {
    const { fake, incus, signal, changes } = await opened(t);
    fake.state.addInstance('c', { status: 'Running' });
    assert.equal(await killContainer(incus, bare('c'), signal), 'removed');
    assert.ok(!fake.state.instances.has('c'));
    assert.deepEqual(changes(), ['PATCH /1.0/instances/c', 'PUT /1.0/instances/c/state']);
  });

  it('a stopped one is deleted, and one that is gone is well', async (t) => {
    const { fake, incus, signal, changes } = await opened(t);
    fake.state.addInstance('c');
    assert.equal(await killContainer(incus, bare('c'), signal), 'removed');
    assert.equal(await killContainer(incus, bare('c'), signal), 'was-gone');
    assert.deepEqual(changes(), ['DELETE /1.0/instances/c']);
  });

  it('one that cannot be changed, since a mount lost its source, is stopped first and deleted after', async (t) => {
    const { fake, incus, signal } = await opened(t);
    fake.state.addInstance('c', { status: 'Running' });
    fake.faults.inject({ method: 'PATCH', path: /instances/, nth: 1, fault: refuse });
    assert.equal(await killContainer(incus, bare('c'), signal), 'removed');
    assert.ok(!fake.state.instances.has('c'));
  });

  it('a newborn that looked stopped and could not be deleted yet is ended when it runs', async (t) => {
    const { fake, incus, signal } = await opened(t);
    const instance = fake.state.addInstance('c');
    fake.faults.inject({ method: 'DELETE', path: /instances/, nth: 1, fault: refuse });
    const killed = killContainer(incus, bare('c'), signal);
    instance.status = 'Running';
    assert.equal(await killed, 'removed');
    assert.ok(!fake.state.instances.has('c'));
  });

  it('another one of that name, which was made since, is left alone', async (t) => {
    const { fake, incus, signal, graceful, changes } = await opened(t);
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

  it('one that was started since it was found stopped is not deleted where only a stopped one is meant', async (t) => {
    const { fake, incus, signal, changes } = await opened(t);
    const instance = fake.state.addInstance('c', { status: 'Running' });
    assert.equal(await deleteStopped(incus, bare('c'), signal), 'runs');
    assert.deepEqual(changes(), []);
    instance.status = 'Stopped';
    fake.faults.inject({ method: 'DELETE', path: /instances/, nth: 1, fault: refuse });
    const asked = fake.nextRequest('DELETE', /instances/);
    const deleting = deleteStopped(incus, bare('c'), signal);
    await asked;
    instance.status = 'Running';
    assert.equal(await deleting, 'runs');
    assert.equal(instance.status, 'Running');
    instance.status = 'Stopped';
    assert.equal(await deleteStopped(incus, bare('c'), signal), 'removed');
  });

  it('one that cannot be ended is an error with the words of Incus', async (t) => {
    const { fake, incus, signal } = await opened(t);
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

  it('a daemon that is lost on the way is not asked again and again', async (t) => {
    const { fake, incus, signal, changes } = await opened(t);
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

describe('stopping one that is kept', () => {
  it('lets the guest end and keeps it', async (t) => {
    const { fake, incus, graceful, forced } = await opened(t);
    fake.state.addInstance('c', { status: 'Running' });
    await stopContainer(incus, bare('c'), graceful);
    assert.equal(fake.state.instances.get('c')?.status, 'Stopped');
    assert.deepEqual(forced, []);
    await stopContainer(incus, bare('c'), graceful);
    await stopContainer(incus, bare('gone'), graceful);
  });

  it('takes force when the guest will not, says so and keeps it', async (t) => {
    const { fake, incus, graceful, forced } = await opened(t);
    fake.state.addInstance('c', { status: 'Running' });
    fake.faults.inject({
      method: 'PUT',
      path: /state/,
      nth: 1,
      fault: { kind: 'fail-operation', message: 'no' },
    });
    await stopContainer(incus, bare('c'), graceful);
    assert.equal(fake.state.instances.get('c')?.status, 'Stopped');
    assert.deepEqual(forced, ['timeout']);
  });
});

describe('shutting down', () => {
  it('lets the guest end and needs no force', async (t) => {
    const { fake, incus, graceful, forced } = await opened(t);
    fake.state.addInstance('c', { status: 'Running' });
    assert.equal(await shutDownContainer(incus, bare('c'), graceful), 'removed');
    assert.ok(!fake.state.instances.has('c'));
    assert.deepEqual(forced, []);
  });

  it('takes force when the guest will not, and deletes it all the same', async (t) => {
    const { fake, incus, graceful, forced } = await opened(t);
    fake.state.addInstance('c', { status: 'Running' });
    fake.faults.inject({
      method: 'PUT',
      path: /state/,
      nth: 1,
      fault: { kind: 'fail-operation', message: 'no' },
    });
    await shutDownContainer(incus, bare('c'), graceful);
    assert.ok(!fake.state.instances.has('c'));
    assert.deepEqual(forced, ['timeout']);
  });

  it('takes force at once with a limit of 0, and with a paused one that must not be thawed', async (t) => {
    const { fake, incus, graceful, forced } = await opened(t);
    fake.state.addInstance('a', { status: 'Running' });
    fake.state.addInstance('b', { status: 'Frozen' });
    await shutDownContainer(incus, bare('a'), { ...graceful, timeoutMs: 0 });
    await shutDownContainer(incus, bare('b'), graceful);
    assert.equal(fake.state.instances.size, 0);
    assert.deepEqual(forced, ['timeout', 'paused']);
  });

  it('interrupted while the guest still runs, it leaves the container as it was', async (t) => {
    const { fake, incus, graceful } = await opened(t);
    const instance = fake.state.addInstance('c', { status: 'Running' });
    const controller = new AbortController();
    const held = Promise.withResolvers<void>();
    fake.faults.inject({
      method: 'PUT',
      path: /state/,
      nth: 1,
      fault: { kind: 'hold', until: held.promise, when: 'before' },
    });
    const asked = fake.nextRequest('PUT', /state/);
    const stopping = shutDownContainer(incus, bare('c'), {
      ...graceful,
      signal: controller.signal,
    });
    await asked;
    const reason = new CoiError('cancelled', 'interrupted');
    controller.abort(reason);
    await assert.rejects(stopping, reason);
    assert.equal(instance.ephemeral, false);
    held.resolve();
  });
});
