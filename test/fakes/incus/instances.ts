// Instances of the fake: the rules that coi depends on, each verified against the real daemon by test/contract.
import { randomUUID } from 'node:crypto';
import type { CreateInstance, InstancePatch, StateChange } from '../../../src/incus/shapes.ts';
import { Refusal } from './operations.ts';
import { accepted, type FakeDaemon, type Request, type Route, route, sync } from './routes.ts';
import { etagOf, type FakeInstance } from './state.ts';

export function instanceOf({ state }: FakeDaemon, request: Request): FakeInstance {
  const name = request.args[0] ?? '';
  const instance = state.instances.get(name);
  if (!instance)
    throw new Refusal(
      404,
      `Failed to fetch instance ${JSON.stringify(name)} in project "default": Instance not found`,
    );
  return instance;
}

const writable = ({ config, devices, ephemeral, profiles, description }: FakeInstance) => ({
  config,
  devices,
  ephemeral,
  profiles,
  description,
});

export const instanceRoutes: readonly Route[] = [
  route('GET /1.0/instances', ({ query }, { state }) => {
    const all = [...state.instances.values()];
    switch (query.get('recursion')) {
      case '2':
        return sync(
          all.map((instance) => ({
            ...state.instanceShown(instance),
            state: liveState(instance),
            snapshots: snapshotsOf(instance),
          })),
        );
      case '1':
        return sync(all.map((instance) => state.instanceShown(instance)));
      default:
        return sync(all.map(({ name }) => `/1.0/instances/${name}`));
    }
  }),
  route('POST /1.0/instances', create),
  route('GET /1.0/instances/*', (request, daemon) => {
    const instance = instanceOf(daemon, request);
    return sync(daemon.state.instanceShown(instance), etagOf(writable(instance)));
  }),
  route('PATCH /1.0/instances/*', (request, daemon) => {
    const instance = matching(request, daemon);
    const patch = request.json<InstancePatch>();
    const config = { ...instance.config, ...patch.config };
    for (const [key, value] of Object.entries(config)) if (value === '') delete config[key];
    Object.assign(instance, patch, { config, devices: { ...instance.devices, ...patch.devices } });
    daemon.state.emit('instance-updated', `instances/${instance.name}`);
    return sync();
  }),
  route('PUT /1.0/instances/*', (request, daemon) => {
    const instance = matching(request, daemon);
    const body = request.json<InstancePatch & { restore?: string }>();
    const snapshot = instance.snapshots.get(body.restore ?? '');
    if (body.restore && !snapshot) throw new Refusal(404, 'Instance snapshot not found');
    return accepted(
      daemon.operations.start('Updating instance', async () => {
        if (snapshot)
          instance.config = { ...snapshot.config, 'volatile.uuid.generation': randomUUID() };
        else Object.assign(instance, body);
        daemon.state.emit(
          snapshot ? 'instance-restored' : 'instance-updated',
          `instances/${instance.name}`,
        );
        return undefined;
      }),
    );
  }),
  route('DELETE /1.0/instances/*', (request, daemon) => {
    const instance = instanceOf(daemon, request);
    if (instance.status !== 'Stopped') throw new Refusal(400, 'Instance is running');
    return accepted(
      daemon.operations.start('Deleting instance', async () => remove(daemon, instance)),
    );
  }),
  route('GET /1.0/instances/*/state', (request, daemon) =>
    sync(liveState(instanceOf(daemon, request))),
  ),
  route('PUT /1.0/instances/*/state', (request, daemon) => {
    const instance = instanceOf(daemon, request);
    const change = request.json<StateChange>();
    return accepted(
      daemon.operations.start(`${change.action} instance`, async () =>
        changeState(daemon, instance, change),
      ),
    );
  }),
  route('GET /1.0/instances/*/snapshots', (request, daemon) =>
    sync(snapshotsOf(instanceOf(daemon, request))),
  ),
  route('POST /1.0/instances/*/snapshots', (request, daemon) => {
    const instance = instanceOf(daemon, request);
    const { name, stateful = false } = request.json<{ name: string; stateful?: boolean }>();
    return accepted(
      daemon.operations.start('Snapshotting instance', async () => {
        if (instance.snapshots.has(name))
          throw new Refusal(400, 'UNIQUE constraint failed: instances_snapshots.name');
        const snapshot = {
          name,
          stateful,
          created_at: daemon.state.now(),
          expires_at: '0001-01-01T00:00:00Z',
        };
        instance.snapshots.set(name, { snapshot, config: { ...instance.config } });
        daemon.state.emit(
          'instance-snapshot-created',
          `instances/${instance.name}/snapshots/${name}`,
        );
        return undefined;
      }),
    );
  }),
  route('DELETE /1.0/instances/*/snapshots/*', (request, daemon) => {
    const instance = instanceOf(daemon, request);
    const name = request.args[1] ?? '';
    if (!instance.snapshots.has(name)) throw new Refusal(404, 'Instance snapshot not found');
    return accepted(
      daemon.operations.start('Deleting snapshot', async () => {
        instance.snapshots.delete(name);
        return undefined;
      }),
    );
  }),
];

/** All errors are reported in the operation, as in Incus 6.0: the reply to the request is 202 regardless. */
function create(request: Request, daemon: FakeDaemon) {
  const body = request.json<CreateInstance>();
  const { state } = daemon;
  if (body.name.includes('/'))
    throw new Refusal(400, 'The character "/" is reserved for snapshots');
  return accepted(
    daemon.operations.start('Creating instance', async () => {
      if (state.instances.has(body.name))
        throw new Refusal(400, 'UNIQUE constraint failed: instances.name');
      if (body.source.type === 'image') {
        const fingerprint =
          'alias' in body.source
            ? state.aliases.get(body.source.alias)?.target
            : body.source.fingerprint;
        if (!state.images.has(fingerprint ?? ''))
          throw new Refusal(400, 'Image not provided for instance creation');
      }
      const instance = state.addInstance(body.name, {
        ephemeral: body.ephemeral ?? false,
        description: body.description ?? '',
        profiles: body.profiles ?? ['default'],
        config: { ...body.config },
        devices: { ...body.devices },
      });
      state.emit('instance-created', `instances/${body.name}`);
      if (body.start) changeState(daemon, instance, { action: 'start' });
      return undefined;
    }),
  );
}

function matching(request: Request, daemon: FakeDaemon): FakeInstance {
  const instance = instanceOf(daemon, request);
  const wanted = request.headers['if-match'];
  if (wanted !== undefined && wanted !== etagOf(writable(instance)))
    throw new Refusal(412, "ETag doesn't match");
  return instance;
}

function changeState(daemon: FakeDaemon, instance: FakeInstance, change: StateChange): undefined {
  const emitAction = (action: string) => daemon.state.emit(action, `instances/${instance.name}`);
  const live = instance.status !== 'Stopped';
  switch (change.action) {
    case 'start':
      if (live) throw new Refusal(400, 'The instance is already running');
      instance.status = 'Running';
      instance.config['volatile.last_state.power'] = 'RUNNING';
      return emitAction('instance-started') as undefined;
    case 'stop':
      if (!live) throw new Refusal(400, 'The instance is already stopped');
      instance.status = 'Stopped';
      instance.config['volatile.last_state.power'] = 'STOPPED';
      for (const end of instance.execs) end();
      // In this order, as observed with Incus 6.0.
      if (instance.ephemeral) remove(daemon, instance);
      return emitAction(change.force ? 'instance-stopped' : 'instance-shutdown') as undefined;
    case 'restart':
      if (!live) throw new Refusal(400, 'The instance is already stopped');
      for (const end of instance.execs) end();
      return emitAction('instance-restarted') as undefined;
    case 'freeze':
      instance.status = 'Frozen';
      return emitAction('instance-paused') as undefined;
    case 'unfreeze':
      instance.status = 'Running';
      return emitAction('instance-resumed') as undefined;
  }
}

function remove({ state }: FakeDaemon, instance: FakeInstance): undefined {
  state.instances.delete(instance.name);
  state.emit('instance-deleted', `instances/${instance.name}`);
}

function snapshotsOf(instance: FakeInstance) {
  return [...instance.snapshots.values()].map(({ snapshot }) => snapshot);
}

function liveState(instance: FakeInstance) {
  const live = instance.status !== 'Stopped';
  return {
    status: instance.status,
    pid: live ? 4242 : 0,
    processes: live ? 9 : 0,
    memory: { usage: 0, usage_peak: 0 },
    cpu: { usage: 0 },
    disk: {},
    network: null,
  };
}
