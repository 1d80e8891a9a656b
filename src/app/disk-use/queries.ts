// Queries of `coi clean --disk`: once for the list, and again before each deletion.
import { hostFiles } from '../../host/fs/host-files.ts';
import type { Instance } from '../../incus/shapes.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { type Cleanable, findCleanable } from '../../session/store/cleanable.ts';
import { storedSessions } from '../../session/store/saved-sessions.ts';
import { allTools } from '../../tools/list.ts';
import { loadRequestConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { ConfigurationRequest, SessionTarget } from '../requests.ts';
import { resolveWorkspace } from '../resolve-workspace.ts';
import { ownContainers } from '../targets/user-containers.ts';
import { namedImages } from './names-in-use.ts';
import type { ImageFacts } from './uses.ts';

/** Selects the containers, and the configuration that names images. */
export type DiskUseRequest = SessionTarget & ConfigurationRequest;

/** Images that coi made, and what still uses them. */
export async function imageFacts(
  app: AppContext,
  request: DiskUseRequest,
  containers?: readonly Container[],
): Promise<ImageFacts> {
  const own = containers ?? (await ownContainers(app, request));
  const [{ images, instances }, names] = await Promise.all([
    queryIncus(app),
    namedImages(app, request, own),
  ]);
  return {
    ...names,
    images: images.filter(({ properties }) =>
      /, (?:built|published) by coi$/.test(properties['description'] ?? ''),
    ),
    used: new Set(instances.flatMap(({ config: keys }) => keys['volatile.base_image'] ?? [])),
  };
}

/** Includes instances of other projects, which may have been made from an image of this one. */
async function queryIncus(
  app: AppContext,
): Promise<{ images: ImageFacts['images']; instances: Instance[] }> {
  try {
    const incus = await app.incus();
    const request = { signal: app.signal };
    const [images, instances] = await Promise.all([
      incus.images(request),
      incus.instances({ ...request, allProjects: true }),
    ]);
    return { images, instances };
  } catch (error) {
    throw incusFailure(error, 'querying the disk usage of Incus failed');
  }
}

/** What `coi clean --orphans` would remove. */
export async function orphans(
  app: AppContext,
  request: DiskUseRequest,
  containers?: readonly Container[],
): Promise<Cleanable[]> {
  const { settings } = await loadRequestConfig(
    app,
    request,
    resolveWorkspace(app, request.workspace),
  );
  const known = new Map(allTools(settings).map((tool) => [tool.name, tool]));
  const query = { home: app.user.home, known: (name: string) => known.get(name) };
  const selection = { all: false, named: [], sessions: false, orphans: true };
  const nowMs = app.clock.now().getTime();
  const own = containers ?? (await ownContainers(app, request));
  return findCleanable({ ...selection, nowMs }, own, storedSessions(query, hostFiles));
}
