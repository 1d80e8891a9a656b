// Instance behaviour that coi depends on: creation, changes and ends.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IncusError } from '../../src/incus/client.ts';
import { type DaemonBed, daemons, finish, testLimit } from './daemons.ts';

const refused = (status: number) => (error: unknown) =>
  error instanceof IncusError && error.status === status;

for (const daemon of daemons) {
  describe(`instances of the ${daemon.name} daemon`, testLimit, () => {
    let bench: DaemonBed;
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
      finish(
        bench.incus.createInstance({
          name: bench.name(label),
          type: 'container',
          source: { type: 'image', fingerprint: bench.fingerprint },
          ...extra,
        }),
      );
    const read = async (which = name) => (await bench.incus.instance(which))?.instance;

    it('one call creates and starts an instance', async () => {
      await create('started', { start: true, ephemeral: true });
      assert.equal((await read(bench.name('started')))?.status, 'Running');
    });

    it('a missing instance is undefined when read and 404 when written', async () => {
      const absent = bench.name('absent');
      assert.equal(await bench.incus.instance(absent), undefined);
      await assert.rejects(bench.incus.updateInstance(absent, { config: {} }), refused(404));
      await assert.rejects(bench.incus.deleteInstance(absent), refused(404));
      await assert.rejects(bench.incus.instanceState(absent), refused(404));
    });

    it('a second instance of the same name fails in the operation and changes nothing', async () => {
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

    it('the list of names has all instances, and the cheap list their configuration', async () => {
      assert.ok((await bench.incus.instanceNames()).includes(name));
      const listed = (await bench.incus.instances()).find((instance) => instance.name === name);
      assert.equal(listed?.config['user.a'], '1');
      assert.deepEqual(listed?.expanded_devices['extra'], { type: 'none' });
    });

    it('a patch keeps other keys, and an empty value removes its key', async () => {
      await bench.incus.updateInstance(name, { config: { 'user.b': '', 'user.c': '3' } });
      const config = (await read())?.config ?? {};
      assert.equal(config['user.a'], '1');
      assert.equal(config['user.c'], '3');
      assert.ok(!('user.b' in config));
    });

    it('an update with an outdated etag is refused with 412', async () => {
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

    it('replacing the whole configuration removes a device', async () => {
      const instance = await read();
      assert.ok(instance);
      await bench.incus.replaceInstance(name, { ...instance, devices: {} });
      assert.deepEqual((await read())?.devices, {});
    });

    it('starting a running or stopping a stopped instance fails in the operation', async () => {
      await assert.rejects(
        finish(bench.incus.changeState(name, { action: 'stop', force: true })),
        refused(400),
      );
      await finish(bench.incus.changeState(name, { action: 'start' }));
      await assert.rejects(
        finish(bench.incus.changeState(name, { action: 'start' })),
        refused(400),
      );
    });

    it('a running instance has live state and cannot be deleted', async () => {
      const state = await bench.incus.instanceState(name);
      assert.equal(state.status, 'Running');
      assert.ok(state.pid > 0);
      await assert.rejects(finish(bench.incus.deleteInstance(name)), refused(400));
    });

    it('restoring a snapshot restores the configuration', async () => {
      await finish(bench.incus.createSnapshot(name, { name: 'first' }));
      assert.deepEqual(
        (await bench.incus.snapshots(name)).map((snapshot) => snapshot.name),
        ['first'],
      );
      await assert.rejects(
        finish(bench.incus.createSnapshot(name, { name: 'first' })),
        refused(400),
      );
      await bench.incus.updateInstance(name, { config: { 'user.a': 'changed' } });
      await finish(bench.incus.changeState(name, { action: 'stop', force: true }));
      await finish(bench.incus.restoreSnapshot(name, 'first'));
      assert.equal((await read())?.config['user.a'], '1');
      await finish(bench.incus.deleteSnapshot(name, 'first'));
      assert.deepEqual(await bench.incus.snapshots(name), []);
    });

    it("a restore changes an instance's generation, a snapshot does not", async () => {
      const generation = async () => (await read())?.config['volatile.uuid.generation'];
      const before = await generation();
      assert.ok(before);
      await finish(bench.incus.createSnapshot(name, { name: 'second' }));
      assert.equal(await generation(), before);
      await finish(bench.incus.restoreSnapshot(name, 'second'));
      assert.notEqual(await generation(), before);
    });

    it('a restore with an etag from before a start is refused with 412', async () => {
      await finish(bench.incus.deleteSnapshot(name, 'second'));
      await create('restorable');
      const other = bench.name('restorable');
      await finish(bench.incus.createSnapshot(other, { name: 'first' }));
      const { etag = '' } = (await bench.incus.instance(other)) ?? {};
      await finish(bench.incus.changeState(other, { action: 'start' }));
      await assert.rejects(bench.incus.restoreSnapshot(other, 'first', { etag }), refused(412));
      assert.equal((await read(other))?.status, 'Running');
      await finish(bench.incus.changeState(other, { action: 'stop', force: true }));
      const now = (await bench.incus.instance(other))?.etag ?? '';
      await finish(bench.incus.restoreSnapshot(other, 'first', { etag: now }));
      await finish(bench.incus.deleteInstance(other));
    });

    it('an instance that is being changed can still be stopped', async () => {
      await finish(bench.incus.changeState(name, { action: 'start' }));
      const { incus } = bench;
      // One after the other, so that the stop coincides with one of them; those that coincide with the stop are refused.
      const change = async (left: number): Promise<void> => {
        await incus.updateInstance(name, { config: { 'user.e': String(left) } });
        if (left > 0) await change(left - 1);
      };
      const changes = change(50).catch(() => undefined);
      await finish(incus.changeState(name, { action: 'stop', force: true }));
      assert.equal((await read())?.status, 'Stopped');
      await changes;
    });

    it('an instance that was made ephemeral while running is deleted when it stops', async () => {
      await finish(bench.incus.changeState(name, { action: 'start' }));
      await bench.incus.updateInstance(name, { ephemeral: true });
      const events = bench.incus.events(['lifecycle']);
      await events.ready;
      await finish(bench.incus.changeState(name, { action: 'stop', force: true }));
      for await (const event of events) {
        if (event.type !== 'lifecycle' || event.metadata.source !== `/1.0/instances/${name}`)
          continue;
        if (event.metadata.action === 'instance-deleted') break;
      }
      assert.equal(await bench.incus.instance(name), undefined);
    });
  });
}
