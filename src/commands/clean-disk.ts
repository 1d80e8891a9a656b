// coi clean --disk: what uses space, and deletes what is safe to delete when that is wished.
import { join } from 'node:path';
import type { App } from '../app.ts';
import { hostFiles } from '../host/files.ts';
import { measureTree } from '../host/measure-tree.ts';
import type { InstanceFull } from '../incus/shapes.ts';
import { quoted } from '../names.ts';
import { type DiskFacts, type DiskUse, diskUse, type Measured } from '../session/disk.ts';
import { incusFailure } from '../session/failure.ts';
import { bytesText } from '../ui/bytes.ts';
import { diskJson, diskText, sum } from '../ui/views/disk.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers } from './containers.ts';
import { imageLook, orphans } from './disk-look.ts';
import { taken } from './disk-take.ts';

export interface DiskOptions extends GlobalOptions {
  force?: boolean;
  dryRun?: boolean;
  json?: boolean;
}

const programDir = '/usr/local/lib/coi';
const unreadMax = 3;

export async function cleanDisk(app: App, options: DiskOptions): Promise<void> {
  const { io } = app;
  const facts = await diskFacts(app, options);
  const uses = diskUse(facts);
  const safe = uses.filter(({ take }) => take);
  const answer = (outcomes: readonly { use: DiskUse; gone: boolean }[]) => {
    if (options.json) io.printJson(diskJson(uses, outcomes));
  };
  if (!options.json) io.print(diskText(uses).join('\n'));
  const { unread } = facts;
  if (unread.length > 0) {
    const more = unread.length > unreadMax ? `, and ${unread.length - unreadMax} more` : '';
    const some = unread.slice(0, unreadMax).map(quoted).join(', ');
    io.warn(`old images are kept, since these cannot be read and may name them: ${some}${more}`);
  }
  if (safe.length === 0 || options.dryRun) return answer([]);
  if (!options.force) {
    if (options.json || !io.interactive) {
      if (!options.json) io.tell('`coi clean --disk --force` deletes what is safe.');
      return answer([]);
    }
    const question = `Delete what is safe to delete (${bytesText(sum(safe))})?`;
    if (!(await io.confirm(question))) return io.print('Cancelled.');
  }
  const outcomes = [];
  for (const use of safe)
    outcomes.push({ use, gone: await taken(app, options, use, facts.cleanable) });
  const done = outcomes.filter(({ gone }) => gone);
  if (!options.json)
    io.print(`✓ Cleaned ${done.length} item(s), ${bytesText(sum(done.map(({ use }) => use)))}`);
  answer(outcomes);
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
  const own = await ownContainers(app, options);
  const names = new Set(own.map(({ name }) => name));
  const [safe, images, instances] = await Promise.all([
    orphans(app, options, own),
    imageLook(app, options, own),
    withState(app),
  ]);
  const stores = below(join(home, '.coi')).filter(({ name }) => name.startsWith('sessions-'));
  return {
    ...images,
    containers: instances.filter(({ name }) => names.has(name)),
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

async function withState(app: App): Promise<InstanceFull[]> {
  try {
    return await (await app.incus()).instancesWithState({ signal: app.signal });
  } catch (error) {
    throw incusFailure(error, 'asking Incus for what uses space failed');
  }
}
