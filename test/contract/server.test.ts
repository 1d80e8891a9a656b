// The server, its networks, pools, profiles and events.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IncusError } from '../../src/incus/client.ts';
import { type DaemonBed, daemons, finish, testLimit } from './daemons.ts';

for (const daemon of daemons) {
  describe(`server of the ${daemon.name} daemon`, testLimit, () => {
    let bench: DaemonBed;
    before(async () => {
      bench = await daemon.open();
    });
    after(() => bench[Symbol.asyncDispose]());

    it('the server reports its version and capabilities', async () => {
      const server = await bench.incus.server();
      assert.equal(server.environment.server, 'incus');
      assert.equal(server.auth, 'trusted');
      assert.equal(await bench.incus.has('instance_create_start'), true);
      assert.equal(await bench.incus.has('coit-no-such-extension'), false);
    });

    it('the server has a default profile, and missing profiles are undefined', async () => {
      assert.equal((await bench.incus.profile('default'))?.name, 'default');
      assert.ok((await bench.incus.profiles()).some(({ name }) => name === 'default'));
      assert.equal(await bench.incus.profile('coit-none'), undefined);
      assert.equal(await bench.incus.network('coit-none'), undefined);
    });

    it('storage pools report driver and space', async () => {
      const [pool] = await bench.incus.storagePools();
      assert.ok(pool?.driver);
      assert.ok((await bench.incus.storageResources(pool.name)).space.total > 0);
    });

    it('an unknown path and an unknown operation are 404', async () => {
      const absent = (error: unknown) => error instanceof IncusError && error.status === 404;
      await assert.rejects(bench.incus.query('GET', '/1.0/coit'), absent);
      await assert.rejects(
        bench.incus.query('GET', '/1.0/operations/4b0c2a0e-0000-4000-8000-000000000000/wait'),
        absent,
      );
    });

    it('events after a subscription is ready arrive in order', async ({ signal }) => {
      const events = bench.incus.events(['lifecycle'], { signal });
      await events.ready;
      const name = bench.name('seen');
      const source = { type: 'image', fingerprint: bench.fingerprint } as const;
      await finish(bench.incus.createInstance({ name, type: 'container', source, start: true }));
      await finish(bench.incus.changeState(name, { action: 'stop', force: true }));
      await finish(bench.incus.deleteInstance(name));
      const seen: string[] = [];
      for await (const event of events) {
        if (event.type !== 'lifecycle' || event.metadata.source !== `/1.0/instances/${name}`)
          continue;
        seen.push(event.metadata.action);
        if (event.metadata.action === 'instance-deleted') break;
      }
      assert.deepEqual(seen, [
        'instance-created',
        'instance-started',
        'instance-stopped',
        'instance-deleted',
      ]);
    });
  });
}
