// Collects what uses disk space on this host.
import { join } from 'node:path';
import { hostFiles } from '../../host/fs/host-files.ts';
import { measureTree } from '../../host/fs/meta/measure-tree.ts';
import type { InstanceFull } from '../../incus/shapes.ts';
import { instanceName } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import type { AppContext } from '../context.ts';
import { ownContainers } from '../targets/user-containers.ts';
import type { DiskUseRequest } from './queries.ts';
import { imageFacts, orphans } from './queries.ts';
import type { DiskFacts, Measured } from './uses.ts';

export async function diskFacts(app: AppContext, request: DiskUseRequest): Promise<DiskFacts> {
  const home = app.user.home;
  const below = (directory: string) => {
    using opened = hostFiles.open(directory);
    return [...(opened?.entries() ?? [])];
  };
  const measured = (path: string, entries = 0): Measured[] => {
    const found = measureTree(path);
    return found ? [{ path, entries, ...found }] : [];
  };
  const own = await ownContainers(app, request);
  const names = new Set(own.map(({ name }) => name));
  const [safe, images, instances] = await Promise.all([
    orphans(app, request, own),
    imageFacts(app, request, own),
    withState(app),
  ]);
  const stores = below(join(home, '.coi')).filter(({ name }) => name.startsWith('sessions-'));
  return {
    ...images,
    containers: instances.filter(({ name }) => names.has(instanceName(name))),
    cleanable: safe,
    stores: stores.flatMap(({ name }) => {
      const path = join(home, '.coi', name);
      return measured(path, below(path).length);
    }),
    leftovers: new Map(
      safe.flatMap((item) => {
        const found = item.kind === 'session' ? measured(item.dir) : [];
        return found.map((one) => [one.path, one] as const);
      }),
    ),
    caches: measured(join(app.env['XDG_CACHE_HOME'] || join(home, '.cache'), 'coi')),
    logs: measured(join(home, '.coi/logs')),
    program: measured(programDir)[0],
  };
}

async function withState(app: AppContext): Promise<InstanceFull[]> {
  try {
    return await (await app.incus()).instancesWithState({ signal: app.signal });
  } catch (error) {
    throw incusFailure(error, 'querying the disk usage of Incus failed');
  }
}

const programDir = '/usr/local/lib/coi';
