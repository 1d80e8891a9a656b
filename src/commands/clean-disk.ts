// coi clean --disk: what uses space, and deletes what is safe to delete when that is wished.
import { join } from 'node:path';
import type { App } from '../app.ts';
import { profileNames } from '../config/profile-files.ts';

import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { measureTree } from '../host/measure-tree.ts';
import { removeTreeAt } from '../host/remove.ts';
import { type Cleanable, cleanable, stillCleanable } from '../session/cleaning.ts';
import { type DiskFacts, type DiskUse, diskUse, type Measured } from '../session/disk.ts';
import { incusFailure, isMissing } from '../session/failure.ts';
import { deleteStopped } from '../session/remove.ts';
import { storedSessions } from '../session/stored.ts';
import { tools } from '../tools/list.ts';
import { bytesText } from '../ui/bytes.ts';
import { diskJson, diskText, sum } from '../ui/views/disk.ts';
import { answeringWorkspace } from './answering.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { config } from './prepare.ts';

export interface DiskOptions extends GlobalOptions {
  force?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

const programDir = '/usr/local/lib/coi';
const deleteMs = 120_000;

export async function cleanDisk(app: App, options: DiskOptions): Promise<void> {
  const { io } = app;
  const uses = diskUse(await diskFacts(app, options));
  const safe = uses.filter(({ take }) => take);
  const answer = (taken: readonly { use: DiskUse; gone: boolean }[]) => {
    if (options.json) io.printJson(diskJson(uses, taken));
  };
  if (!options.json) io.print(diskText(uses).join('\n'));
  if (safe.length === 0 || options.dryRun) return answer([]);
  if (!options.force) {
    if (options.json || !io.interactive) {
      if (!options.json) io.tell('`coi clean --disk --force` deletes what is safe.');
      return answer([]);
    }
    const question = `Delete what is safe to delete (${bytesText(sum(safe))})?`;
    if (!(await io.confirm(question))) return io.print('Cancelled.');
  }
  // The answer may have taken any time, in which what was found may have come to life.
  const now = await safeNow(app, options);
  const taken = [];
  for (const use of safe) taken.push({ use, gone: await gone(app, use, now) });
  const done = taken.filter((one) => one.gone);
  if (!options.json)
    io.print(`✓ Cleaned ${done.length} item(s), ${bytesText(sum(done.map(({ use }) => use)))}`);
  answer(taken);
}

async function diskFacts(app: App, options: DiskOptions): Promise<DiskFacts> {
  const home = app.user.home;
  const below = (directory: string) => {
    using opened = hostFiles.open(directory);
    return [...(opened?.entries() ?? [])];
  };
  const measured = (path: string, entries = 0): Measured[] => {
    const found = measureTree(path);
    return found ? [{ path, entries, ...found }] : [];
  };
  const safe = await safeNow(app, options);
  const names = new Set((await ownContainers(app, options)).map(({ name }) => name));
  const { images, instances } = await ofIncus(app);
  const stores = below(join(home, '.coi')).filter(({ name }) => name.startsWith('sessions-'));
  return {
    images: images.filter(({ properties }) =>
      /, (?:built|published) by coi$/.test(properties['description'] ?? ''),
    ),
    named: await namedImages(app, options),
    containers: instances.filter(({ name }) => names.has(name)),
    cleanable: safe,
    stores: stores.flatMap(({ name }) => {
      const path = join(home, '.coi', name);
      return measured(path, below(path).length);
    }),
    leftovers: new Map(
      safe.flatMap((item) =>
        item.kind === 'session' ? [[item.dir, measureTree(item.dir)?.bytes ?? 0] as const] : [],
      ),
    ),
    caches: measured(join(app.env['XDG_CACHE_HOME'] || join(home, '.cache'), 'coi')),
    logs: measured(join(home, '.coi/logs')),
    program: measured(programDir)[0],
  };
}

async function ofIncus(app: App) {
  try {
    const incus = await app.incus();
    const options = { signal: app.signal };
    const [images, instances] = await Promise.all([
      incus.images(options),
      incus.instancesWithState(options),
    ]);
    return { images, instances };
  } catch (error) {
    throw incusFailure(error, 'asking Incus for what uses space failed');
  }
}

/** What `coi clean --orphans` would take. */
async function safeNow(app: App, options: DiskOptions): Promise<Cleanable[]> {
  const { settings } = await config(app, options, answeringWorkspace(app, options.workspace));
  const known = new Map(tools(settings).map((tool) => [tool.name, tool]));
  const query = { home: app.user.home, known: (name: string) => known.get(name) };
  const wish = { all: false, named: [], sessions: false, orphans: true };
  const nowMs = app.clock.now().getTime();
  const own = await ownContainers(app, options);
  return cleanable({ ...wish, nowMs }, own, storedSessions(query, hostFiles));
}

/** Images that this user's configuration, the project's or one of their profiles names. */
async function namedImages(app: App, options: DiskOptions): Promise<Set<string>> {
  const workspace = answeringWorkspace(app, options.workspace);
  const places = { home: app.user.home, workspace, cwd: app.cwd, env: app.env };
  const profiles = [undefined, ...profileNames(places, hostFiles).map(({ name }) => name)];
  const settings = profiles.map((profile) => config(app, { ...options, profile }, workspace));
  const found = await Promise.all(settings);
  return new Set(found.map((one) => one.settings['container.image']));
}

async function gone(
  app: App,
  { take, name }: DiskUse,
  now: readonly Cleanable[],
): Promise<boolean> {
  if (!take) return false;
  const still = (item: Cleanable | undefined) => item !== undefined && stillCleanable(item, now);
  try {
    const incus = await app.incus();
    switch (take.kind) {
      case 'image':
        await (await incus.deleteImage(take.fingerprint)).wait({ timeoutMs: deleteMs });
        return true;
      case 'container': {
        const item = now.find((one) => one.kind === 'container' && one.ref.name === take.ref.name);
        if (!still(item)) throw new CoiError('failed', 'it was started since it was listed');
        return (await deleteStopped(incus, take.ref, app.signal)) !== 'runs';
      }
      case 'directory':
        await removeTreeAt(take.path, { shred: true });
        return true;
    }
  } catch (error) {
    if (isMissing(error)) return true;
    app.io.warn(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}
