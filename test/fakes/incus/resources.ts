// Server, operations, images, networks, pools and profiles of the fake.
import { createHash } from 'node:crypto';
import type { Network, StoragePool } from '../../../src/incus/shapes.ts';
import { Refusal } from './operations.ts';
import { accepted, type FakeDaemon, type Request, type Route, route, sync } from './routes.ts';

const found = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new Refusal(404, `${what} not found`);
  return value;
};

const named = (map: ReadonlyMap<string, unknown>, { args }: Request, what: string) =>
  sync(found(map.get(args[0] ?? ''), what));

export const resourceRoutes: readonly Route[] = [
  route('GET /1.0', (_, { state }) =>
    sync({
      api_extensions: state.extensions,
      auth: 'trusted',
      config: {},
      environment: {
        server: 'incus',
        server_version: '6.0.4',
        server_pid: 1,
        kernel_version: '6.1.0',
        storage: 'dir',
      },
    }),
  ),
  route('GET /1.0/operations/*', ({ args }, { operations }) =>
    sync(operations.find(args[0] ?? '').data),
  ),
  route('GET /1.0/operations/*/wait', async ({ args, query }, { operations }) =>
    sync(await operations.wait(args[0] ?? '', Number(query.get('timeout') ?? -1))),
  ),
  route('DELETE /1.0/operations/*', () => sync()),

  route('GET /1.0/images', (_, { state }) =>
    sync([...state.images.values()].map((image) => state.imageShown(image))),
  ),
  route('POST /1.0/images', addImage),
  route('GET /1.0/images/*', ({ args }, { state }) =>
    sync(state.imageShown(found(state.images.get(args[0] ?? ''), 'Image'))),
  ),
  route('DELETE /1.0/images/*', ({ args }, { state, operations }) => {
    const { fingerprint } = found(state.images.get(args[0] ?? ''), 'Image');
    return accepted(
      operations.start('Deleting image', async () => {
        state.images.delete(fingerprint);
        for (const [name, { target }] of state.aliases)
          if (target === fingerprint) state.aliases.delete(name);
        return undefined;
      }),
    );
  }),
  route('GET /1.0/images/aliases/*', ({ args }, { state }) => {
    const [name = ''] = args;
    return sync({ name, type: 'container', ...found(state.aliases.get(name), 'Image alias') });
  }),
  route('PUT /1.0/images/aliases/*', (request, daemon) => {
    found(daemon.state.aliases.get(request.args[0] ?? ''), 'Image alias');
    return setAlias(request.args[0] ?? '', request, daemon);
  }),
  route('POST /1.0/images/aliases', (request, daemon) => {
    const { name } = request.json<{ name: string }>();
    if (daemon.state.aliases.has(name))
      throw new Refusal(409, `Alias ${JSON.stringify(name)} already exists`);
    return setAlias(name, request, daemon);
  }),
  route('DELETE /1.0/images/aliases/*', ({ args }, { state }) => {
    if (!state.aliases.delete(args[0] ?? '')) throw new Refusal(404, 'Image alias not found');
    return sync();
  }),

  route('GET /1.0/operations', (_, { operations }) => sync(operations.byState())),
  route('GET /1.0/networks', (_, { state }) => sync([...state.networks.values()])),
  route('POST /1.0/networks', (request, { state }) => {
    const network = request.json<Pick<Network, 'name' | 'type' | 'config'>>();
    if (state.networks.has(network.name)) throw new Refusal(400, 'The network already exists');
    state.networks.set(network.name, {
      description: '',
      ...network,
      managed: true,
      status: 'Created',
      used_by: [],
    });
    return sync();
  }),
  route('GET /1.0/networks/*', (request, { state }) => named(state.networks, request, 'Network')),
  route('PATCH /1.0/networks/*', (request, { state }) => {
    const network = found(state.networks.get(request.args[0] ?? ''), 'Network');
    Object.assign(network.config, request.json<{ config: Record<string, string> }>().config);
    return sync();
  }),

  route('GET /1.0/storage-pools', (_, { state }) => sync([...state.pools.values()])),
  route('POST /1.0/storage-pools', (request, { state }) => {
    const pool = request.json<Pick<StoragePool, 'name' | 'driver' | 'config'>>();
    state.pools.set(pool.name, { description: '', ...pool, status: 'Created', used_by: [] });
    return sync();
  }),
  route('GET /1.0/storage-pools/*/resources', ({ args }, { state }) => {
    found(state.pools.get(args[0] ?? ''), 'Storage pool');
    return sync({ space: { used: 1024 ** 3, total: 20 * 1024 ** 3 } });
  }),

  route('GET /1.0/profiles', (_, { state }) => sync([...state.profiles.values()])),
  route('GET /1.0/profiles/*', (request, { state }) => named(state.profiles, request, 'Profile')),
];

function setAlias(name: string, request: Request, { state }: FakeDaemon) {
  const { target, description = '' } = request.json<{ target: string; description?: string }>();
  found(state.images.get(target), 'Image');
  state.aliases.set(name, { target, description });
  return sync();
}

function addImage(request: Request, { state, operations }: FakeDaemon) {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('multipart/form-data')) {
    const boundary = /boundary=(.+)$/.exec(type)?.[1] ?? '';
    const parts = request.raw.toString('latin1').split(`--${boundary}`).slice(1, -1);
    const names = parts.map((part) => /name="([^"]*)"/.exec(part)?.[1]);
    if (names.join() !== 'metadata,rootfs') throw new Refusal(400, 'Invalid multipart image');
    const properties = Object.fromEntries(
      new URLSearchParams(String(request.headers['x-incus-properties'] ?? '')),
    );
    // Like the daemon: the fingerprint covers both contents, concatenated.
    const contents = parts.map((part) => part.slice(part.indexOf('\r\n\r\n') + 4, -2)).join('');
    const fingerprint = createHash('sha256').update(contents, 'latin1').digest('hex');
    return accepted(
      operations.start('Downloading image', async () => {
        state.addImage(properties, contents.length, fingerprint);
        return { fingerprint };
      }),
    );
  }
  const body = request.json<{
    source: { name: string };
    properties?: Record<string, string>;
    aliases?: { name: string }[];
  }>();
  const source = state.instances.get(body.source.name);
  return accepted(
    operations.start('Creating image', async () => {
      if (!source) throw new Refusal(404, 'Instance not found');
      if (source.status !== 'Stopped')
        throw new Refusal(400, 'Cannot export a running instance as an image');
      const { fingerprint } = state.addImage(body.properties);
      for (const { name } of body.aliases ?? [])
        state.aliases.set(name, { target: fingerprint, description: '' });
      return { fingerprint };
    }),
  );
}
