// What is looked at for `coi clean --disk`: once for the list, and again before each thing is deleted.
import { hostFiles } from '../../host/fs/host-files.ts';
import type { Instance } from '../../incus/shapes.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import type { Container } from '../../session/record/instance-record.ts';
import { type Cleanable, cleanable } from '../../session/store/cleaning.ts';
import { storedSessions } from '../../session/store/saved-sessions.ts';
import { tools } from '../../tools/list.ts';
import { answeringWorkspace } from '../answering-workspace.ts';
import { config } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { ConfigurationRequest, SessionTarget } from '../requests.ts';
import { ownContainers } from '../targets/user-containers.ts';
import { namedImages } from './named-elsewhere.ts';
import type { ImageFacts } from './uses.ts';

/** Whose containers, and the configuration that names images. */
export type DiskUseRequest = SessionTarget & ConfigurationRequest;

/** Images that coi made, and what keeps them. */
export async function imageLook(
  app: AppContext,
  request: DiskUseRequest,
  containers?: readonly Container[],
): Promise<ImageFacts> {
  const own = containers ?? (await ownContainers(app, request));
  const [{ images, instances }, names] = await Promise.all([
    ofIncus(app),
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

/** Those of other projects may have been made from an image of this one. */
async function ofIncus(
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
    throw incusFailure(error, 'asking Incus for what uses space failed');
  }
}

/** What `coi clean --orphans` would take. */
export async function orphans(
  app: AppContext,
  request: DiskUseRequest,
  containers?: readonly Container[],
): Promise<Cleanable[]> {
  const { settings } = await config(app, request, answeringWorkspace(app, request.workspace));
  const known = new Map(tools(settings).map((tool) => [tool.name, tool]));
  const query = { home: app.user.home, known: (name: string) => known.get(name) };
  const wish = { all: false, named: [], sessions: false, orphans: true };
  const nowMs = app.clock.now().getTime();
  const own = containers ?? (await ownContainers(app, request));
  return cleanable({ ...wish, nowMs }, own, storedSessions(query, hostFiles));
}
