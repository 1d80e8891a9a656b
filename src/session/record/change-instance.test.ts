// Changes to a container affect the intended one, and no later one of its name.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openFakeIncus } from '../../../test/fakes/incus/open.ts';
import { sessionConfig } from '../../../test/fakes/session-record.ts';
import { CoiError } from '../../errors.ts';
import type { Operation } from '../../incus/client.ts';
import { keys } from '../../instance-keys.ts';
import {
  changeState,
  deleteContainer,
  deleteSnapshotOf,
  replaceContainer,
  restoreSnapshotOf,
  StaleContainerRef,
  takeSnapshotOf,
  updateContainer,
} from './change-instance.ts';
import { matchesRef, refOf } from './container-ref.ts';
import { incusGenerationKey, sessionRecord } from './instance-record.ts';

async function openFake(t: { after(work: () => Promise<void>): void }) {
  const { fake, incus } = await openFakeIncus(t);
  const changes = () => fake.requests.filter((request) => !request.startsWith('GET'));
  return { fake, incus, changes };
}

const configOf = (id: string, persistent = false) =>
  sessionConfig({ persistent, owner: 0, mounts: { id, ownerUid: 0, ownerGid: 0 } });

const earlier = { name: 'c', mountsId: 'earlier' };
const later = { name: 'c', mountsId: 'later' };
const none = (ended: Promise<void>) => ended.then(() => undefined);
const done = async (started: Promise<Operation | undefined>) =>
  void (await (await started)?.wait());

describe('acting on a container', () => {
  it('a change of a container never affects a later one of its name', async (t) => {
    const { fake, incus, changes } = await openFake(t);
    fake.state.addInstance('c', { config: configOf('later') });
    const acts: Record<string, (ref: typeof earlier) => Promise<Operation | undefined>> = {
      start: (ref) => changeState(incus, ref, { action: 'start' }),
      update: (ref) => none(updateContainer(incus, ref, { config: { 'user.a': '1' } })),
      replace: (ref) => none(replaceContainer(incus, ref, (instance) => instance)),
      stop: (ref) => changeState(incus, ref, { action: 'stop', force: true }),
      snapshot: (ref) => takeSnapshotOf(incus, ref, { name: 'one' }),
      restore: (ref) => restoreSnapshotOf(incus, ref, { name: 'one' }),
      'delete a snapshot': (ref) => deleteSnapshotOf(incus, ref, 'one'),
      delete: (ref) => deleteContainer(incus, ref),
    };
    for (const [what, act] of Object.entries(acts))
      await assert.rejects(done(act(earlier)), StaleContainerRef, what);
    assert.deepEqual(changes(), []);
    for (const [what, act] of Object.entries(acts))
      await assert.doesNotReject(done(act(later)), what);
    assert.ok(!fake.state.instances.has('c'));
    await assert.rejects(done(changeState(incus, later, { action: 'start' })), /c is gone/);
  });

  it('a stop that Incus wants to be retried is not sent to a later container', async (t) => {
    const { fake, incus } = await openFake(t);
    fake.state.addInstance('c', { status: 'Running', config: configOf('earlier') });
    const message = 'Instance is busy running a "update" operation';
    const fault = { kind: 'fail-operation', message } as const;
    fake.faults.inject({ method: 'PUT', path: /state$/, nth: 1, fault });
    const stop = await changeState(incus, earlier, { action: 'stop', force: true });
    fake.state.instances.delete('c');
    const other = fake.state.addInstance('c', { status: 'Running', config: configOf('later') });
    await assert.rejects(stop.wait(), StaleContainerRef);
    assert.equal(other.status, 'Running');
  });

  it('an update that races with another container or changed keys is redone or dropped', async (t) => {
    const { fake, incus } = await openFake(t);
    const one = fake.state.addInstance('c', { config: configOf('earlier') });
    const updated = async (meanwhile: () => void) => {
      const release = Promise.withResolvers<void>();
      const fault = { kind: 'hold', until: release.promise, when: 'before' } as const;
      fake.faults.inject({ method: 'PATCH', path: /instances/, nth: 1, fault });
      const requested = fake.nextRequest('PATCH', /instances/);
      const update = updateContainer(incus, earlier, ({ config }) => ({
        config: { 'user.copy': config['user.a'] ?? '' },
      }));
      await requested;
      meanwhile();
      release.resolve();
      await update;
    };
    await updated(() => {
      one.config['user.a'] = 'changed';
    });
    assert.equal(one.config['user.copy'], 'changed');
    const other = () => fake.state.addInstance('c', { config: configOf('later') });
    await assert.rejects(updated(other), StaleContainerRef);
    assert.equal(fake.state.instances.get('c')?.config['user.copy'], undefined);
  });

  it('a restore is refused if the container was started between lookup and request', async (t) => {
    const { fake, incus } = await openFake(t);
    const one = fake.state.addInstance('c', { config: configOf('earlier') });
    await done(takeSnapshotOf(incus, earlier, { name: 'one' }));
    const release = Promise.withResolvers<void>();
    const fault = { kind: 'hold', until: release.promise, when: 'before' } as const;
    fake.faults.inject({ method: 'PUT', path: /instances\/c$/, nth: 1, fault });
    const requested = fake.nextRequest('PUT', /instances\/c$/);
    const restore = restoreSnapshotOf(incus, earlier, { name: 'one' });
    await requested;
    await done(incus.changeState('c', { action: 'start' }));
    one.config['user.a'] = 'of the running one';
    release.resolve();
    await assert.rejects(
      done(restore),
      (error) => error instanceof CoiError && error.code === 'session-live',
    );
    assert.equal(one.config['user.a'], 'of the running one');
  });
});

describe('identity of a container', () => {
  it('a session is identified by its mounts id, other containers by their Incus uuid', () => {
    const made = (id: string) => ({ name: 'c', config: { ...configOf(id), 'volatile.uuid': id } });
    const plain = (uuid: string) => ({ name: 'c', config: { 'volatile.uuid': uuid } });
    assert.ok(matchesRef(refOf(made('one')), made('one')));
    assert.ok(!matchesRef(refOf(made('one')), made('two')));
    assert.ok(!matchesRef(refOf(made('one')), { ...made('one'), name: 'd' }));
    assert.ok(matchesRef(refOf(plain('one')), plain('one')));
    assert.ok(!matchesRef(refOf(plain('one')), plain('two')));
    assert.ok(!matchesRef(refOf(plain('one')), made('one')));
    assert.ok(!matchesRef(refOf(made('one')), plain('one')));
  });

  it('a restored container counts as persistent, one that was snapshotted as before', () => {
    const live = { ...configOf('one'), [keys.generation]: 'a', [incusGenerationKey]: 'a' };
    assert.equal(sessionRecord(live)?.persistent, false);
    assert.equal(sessionRecord({ ...live, [incusGenerationKey]: 'b' })?.persistent, true);
    assert.equal(sessionRecord({ ...live, ...configOf('one', true) })?.persistent, true);
    assert.equal(sessionRecord({ ...live, [keys.generation]: '' })?.persistent, false);
  });
});
