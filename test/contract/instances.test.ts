// What coi leans on when it makes, changes and ends instances.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IncusError } from '../../src/incus/client.ts';
import { type Bench, claimLimit, daemons, done } from './daemons.ts';

const refused = (status: number) => (error: unknown) =>
  error instanceof IncusError && error.status === status;

for (const daemon of daemons) {
  describe(`instances of the ${daemon.name} daemon`, claimLimit, () => {
    let bench: Bench;
    let name: string;
    before(async () => {
      bench = await daemon.open();
      name = bench.name('one');
      await create('one', {
        config: { 'user.a': '1', 'user.b': '2' },
        devices: { extra: { type: 'none' } },
      });
    });
    after(() => bench[Symbol.asyncDispose]());

    const create = (label: string, extra: object = {}) =>
      done(
        bench.incus.createInstance({
          name: bench.name(label),
          type: 'container',
          source: { type: 'image', fingerprint: bench.fingerprint },
          ...extra,
        }),
      );
    const read = async (which = name) => (await bench.incus.instance(which))?.instance;

    it('one call creates and starts', async () => {
      await create('started', { start: true, ephemeral: true });
      assert.equal((await read(bench.name('started')))?.status, 'Running');
    });

    it('an instance that is not there is undefined to a reader and 404 to a writer', async () => {
      const absent = bench.name('absent');
      assert.equal(await bench.incus.instance(absent), undefined);
      await assert.rejects(bench.incus.updateInstance(absent, { config: {} }), refused(404));
      await assert.rejects(bench.incus.deleteInstance(absent), refused(404));
      await assert.rejects(bench.incus.instanceState(absent), refused(404));
    });

    it('a second one of the same name fails in the operation and changes nothing', async () => {
      const operation = await bench.incus.createInstance({
        name,
        type: 'container',
        config: { 'user.a': 'other' },
        source: { type: 'image', fingerprint: bench.fingerprint },
      });
      await assert.rejects(operation.wait(), refused(400));
      assert.equal((await read())?.config['user.a'], '1');
    });

    it('a missing image fails in the operation and leaves nothing', async () => {
      await assert.rejects(
        create('imageless', { source: { type: 'image', alias: bench.name('none') } }),
        refused(400),
      );
      assert.equal(await bench.incus.instance(bench.name('imageless')), undefined);
    });

    it('names are in the list of names, and configuration in the cheap list', async () => {
      assert.ok((await bench.incus.instanceNames()).includes(name));
      const listed = (await bench.incus.instances()).find((instance) => instance.name === name);
      assert.equal(listed?.config['user.a'], '1');
      assert.deepEqual(listed?.expanded_devices['extra'], { type: 'none' });
    });

    it('a patch keeps the other keys and an empty value removes its key', async () => {
      await bench.incus.updateInstance(name, { config: { 'user.b': '', 'user.c': '3' } });
      const config = (await read())?.config ?? {};
      assert.equal(config['user.a'], '1');
      assert.equal(config['user.c'], '3');
      assert.ok(!('user.b' in config));
    });

    it('a change with the etag of an older configuration is refused with 412', async () => {
      const before = await bench.incus.instance(name);
      await bench.incus.updateInstance(
        name,
        { config: { 'user.d': '1' } },
        { etag: before?.etag ?? '' },
      );
      const again = bench.incus.updateInstance(
        name,
        { config: { 'user.d': '2' } },
        { etag: before?.etag ?? '' },
      );
      await assert.rejects(again, refused(412));
      assert.equal((await read())?.config['user.d'], '1');
    });

    it('replacing the whole removes a device', async () => {
      const instance = await read();
      assert.ok(instance);
      await bench.incus.replaceInstance(name, { ...instance, devices: {} });
      assert.deepEqual((await read())?.devices, {});
    });

    it('starting a running and stopping a stopped one fails in the operation', async () => {
      await assert.rejects(
        done(bench.incus.changeState(name, { action: 'stop', force: true })),
        refused(400),
      );
      await done(bench.incus.changeState(name, { action: 'start' }));
      await assert.rejects(done(bench.incus.changeState(name, { action: 'start' })), refused(400));
    });

    it('a running one has live state and cannot be deleted', async () => {
      const state = await bench.incus.instanceState(name);
      assert.equal(state.status, 'Running');
      assert.ok(state.pid > 0);
      await assert.rejects(done(bench.incus.deleteInstance(name)), refused(400));
    });

    it('a snapshot brings the configuration back', async () => {
      await done(bench.incus.createSnapshot(name, { name: 'first' }));
      assert.deepEqual(
        (await bench.incus.snapshots(name)).map((snapshot) => snapshot.name),
        ['first'],
      );
      await assert.rejects(done(bench.incus.createSnapshot(name, { name: 'first' })), refused(400));
      await bench.incus.updateInstance(name, { config: { 'user.a': 'changed' } });
      await done(bench.incus.changeState(name, { action: 'stop', force: true }));
      await done(bench.incus.restoreSnapshot(name, 'first'));
      assert.equal((await read())?.config['user.a'], '1');
      await done(bench.incus.deleteSnapshot(name, 'first'));
      assert.deepEqual(await bench.incus.snapshots(name), []);
    });

    it('a restore gives the instance another generation, and a snapshot none', async () => {
      const generation = async () => (await read())?.config['volatile.uuid.generation'];
      const before = await generation();
      assert.ok(before);
      await done(bench.incus.createSnapshot(name, { name: 'second' }));
      assert.equal(await generation(), before);
      await done(bench.incus.restoreSnapshot(name, 'second'));
      assert.notEqual(await generation(), before);
    });

    it('a restore with the etag of a look before it was started is refused with 412', async () => {
      await done(bench.incus.deleteSnapshot(name, 'second'));
      await create('restorable');
      const other = bench.name('restorable');
      await done(bench.incus.createSnapshot(other, { name: 'first' }));
      const { etag = '' } = (await bench.incus.instance(other)) ?? {};
      await done(bench.incus.changeState(other, { action: 'start' }));
      await assert.rejects(bench.incus.restoreSnapshot(other, 'first', { etag }), refused(412));
      assert.equal((await read(other))?.status, 'Running');
      await done(bench.incus.changeState(other, { action: 'stop', force: true }));
      const now = (await bench.incus.instance(other))?.etag ?? '';
      await done(bench.incus.restoreSnapshot(other, 'first', { etag: now }));
      await done(bench.incus.deleteInstance(other));
    });

    it('one that is just being changed is stopped nevertheless', async () => {
      await done(bench.incus.changeState(name, { action: 'start' }));
      const { incus } = bench;
      // One after the other, so that the stop meets one of them; those that meet the stop are refused.
      const change = async (left: number): Promise<void> => {
        await incus.updateInstance(name, { config: { 'user.e': String(left) } });
        if (left > 0) await change(left - 1);
      };
      const changes = change(50).catch(() => undefined);
      await done(incus.changeState(name, { action: 'stop', force: true }));
      assert.equal((await read())?.status, 'Stopped');
      await changes;
    });

    it('one that was made ephemeral while it ran is deleted when it stops', async () => {
      await done(bench.incus.changeState(name, { action: 'start' }));
      await bench.incus.updateInstance(name, { ephemeral: true });
      const events = bench.incus.events(['lifecycle']);
      await events.ready;
      await done(bench.incus.changeState(name, { action: 'stop', force: true }));
      for await (const event of events) {
        if (event.type !== 'lifecycle' || event.metadata.source !== `/1.0/instances/${name}`)
          continue;
        if (event.metadata.action === 'instance-deleted') break;
      }
      assert.equal(await bench.incus.instance(name), undefined);
    });
  });
}
