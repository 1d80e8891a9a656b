// What is looked at for `coi clean --disk`: once for the list, and again before each thing is deleted.
import type { App } from '../app.ts';
import { hostFiles } from '../host/files.ts';
import type { Instance } from '../incus/shapes.ts';
import { type Cleanable, cleanable } from '../session/cleaning.ts';
import type { ImageFacts } from '../session/disk.ts';
import { incusFailure } from '../session/failure.ts';
import type { Container } from '../session/record.ts';
import { storedSessions } from '../session/stored.ts';
import { tools } from '../tools/list.ts';
import { answeringWorkspace } from './answering.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { namedImages } from './named-elsewhere.ts';
import { config } from './prepare.ts';

/** Images that coi made, and what keeps them. */
export async function imageLook(
  app: App,
  options: GlobalOptions,
  containers?: readonly Container[],
): Promise<ImageFacts> {
  const own = containers ?? (await ownContainers(app, options));
  const [{ images, instances }, names] = await Promise.all([
    ofIncus(app),
    namedImages(app, options, own),
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
async function ofIncus(app: App): Promise<{ images: ImageFacts['images']; instances: Instance[] }> {
  try {
    const incus = await app.incus();
    const options = { signal: app.signal };
    const [images, instances] = await Promise.all([
      incus.images(options),
      incus.instances({ ...options, allProjects: true }),
    ]);
    return { images, instances };
  } catch (error) {
    throw incusFailure(error, 'asking Incus for what uses space failed');
  }
}

/** What `coi clean --orphans` would take. */
export async function orphans(
  app: App,
  options: GlobalOptions,
  containers?: readonly Container[],
): Promise<Cleanable[]> {
  const { settings } = await config(app, options, answeringWorkspace(app, options.workspace));
  const known = new Map(tools(settings).map((tool) => [tool.name, tool]));
  const query = { home: app.user.home, known: (name: string) => known.get(name) };
  const wish = { all: false, named: [], sessions: false, orphans: true };
  const nowMs = app.clock.now().getTime();
  const own = containers ?? (await ownContainers(app, options));
  return cleanable({ ...wish, nowMs }, own, storedSessions(query, hostFiles));
}
