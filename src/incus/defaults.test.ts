// In a cluster Incus returns null for objects of a missing member; no reader may fail on that.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { containerOf } from '../session/record/instance-record.ts';
import { openIncus } from './open.ts';

const absent = {
  name: 'coi-12345678-1',
  status: 'Error',
  config: null,
  devices: null,
  expanded_config: null,
  expanded_devices: null,
  profiles: null,
  state: null,
  snapshots: null,
  project: 'default',
};

/** Metadata of Incus's answer for each path. */
const answers: Readonly<Record<string, unknown>> = {
  '/1.0': { environment: { server_version: '6.0.4' }, config: null, api_extensions: null },
  '/1.0/instances': null,
  '/1.0/instances?recursion=1': [absent, null],
  '/1.0/instances?recursion=2': [absent],
  '/1.0/instances/coi-12345678-1': absent,
  '/1.0/instances/coi-12345678-1/snapshots?recursion=1': null,
  '/1.0/images?recursion=1': [{ fingerprint: 'f', aliases: null, properties: null }],
  '/1.0/networks?recursion=1': [{ name: 'n', config: null, used_by: null }],
  '/1.0/storage-pools?recursion=1': null,
  '/1.0/profiles/default': { name: 'default', config: null, devices: null },
  '/1.0/profiles?recursion=1': [{ name: 'default' }],
};

test('fields that Incus omits are empty, in every answer that coi reads', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'coit-null-'));
  const server = createServer((request, response) => {
    const metadata = answers[request.url ?? ''];
    const body = { type: 'sync', status: 'Success', status_code: 200, metadata };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  server.listen(join(directory, 's'));
  await once(server, 'listening');
  const incus = openIncus({ socketPath: join(directory, 's') });
  t.after(async () => {
    incus.close();
    server.close();
    await rm(directory, { recursive: true });
  });
  const [instance, ...more] = await incus.instances();
  assert.deepEqual(more, []);
  assert.deepEqual(
    [instance?.config, instance?.expanded_devices, instance?.profiles, instance?.status],
    [{}, {}, [], 'Error'],
  );
  const { status, session } = containerOf(instance ?? assert.fail(), undefined);
  assert.deepEqual([status, session], ['Error', undefined]);
  assert.deepEqual((await incus.instancesWithState())[0]?.config, {});
  assert.deepEqual((await incus.instance(absent.name))?.instance.devices, {});
  assert.deepEqual(await incus.instanceNames(), []);
  assert.deepEqual(await incus.snapshots(absent.name), []);
  assert.deepEqual((await incus.images())[0]?.aliases, []);
  assert.deepEqual((await incus.networks())[0]?.config, {});
  assert.deepEqual(await incus.storagePools(), []);
  assert.deepEqual((await incus.profile('default'))?.devices, {});
  assert.deepEqual((await incus.profiles())[0]?.config, {});
  assert.deepEqual((await incus.server()).config, {});
});
