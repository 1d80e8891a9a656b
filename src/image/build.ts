// Builds an image: fetch on the host, install in a container of its own, publish, name. Leaves nothing else behind.
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CoiError } from '../errors.ts';
import type { RunCommand } from '../host/command.ts';
import type { Incus } from '../incus/client.ts';
import { runSteps, type Step, type StepEvent } from '../session/steps.ts';
import {
  bareInstance,
  buildKey,
  removeContainer,
  runScript,
  settled,
  startContainer,
  stopContainer,
} from './container.ts';
import { type Downloader, downloadNpm, downloadPackages } from './download.ts';
import { copyGuestFiles } from './guestfiles.ts';
import { type Architecture, imageMetadata, type Recipe } from './recipe.ts';
import { writeRootfs } from './rootfs.ts';
import { recipeKey, versionAlias } from './versions.ts';

const publishLimitMs = 10 * 60_000;
export const workPrefix = 'coi-build-';

export interface BuildWorld {
  readonly incus: Incus;
  readonly run: RunCommand;
  readonly pid: number;
  /** Directory for temporary files, on a disk that Incus can read. */
  readonly temporary: string;
  /** Where the guest's scripts are. */
  readonly guest: string;
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  readonly log: (line: string) => void;
  readonly tell: (event: StepEvent) => void;
  readonly signal: AbortSignal;
}

export interface BuildOrder {
  readonly alias: string;
  readonly recipe: Recipe;
  readonly hash: string;
  readonly arch: Architecture;
}

export interface Built {
  readonly fingerprint: string;
  readonly version: string;
}

interface Work {
  readonly name: string;
  /** Removed at the end, whatever happened. */
  readonly directory: string;
  readonly input: string;
  readonly down: Downloader;
  /** Fetching the agents goes on beside the installation of the packages. */
  npm: Promise<void>;
  essential: string[];
  base?: string;
  published?: string;
  version?: string;
}

/** Builds, publishes and names the image. Throws `image-build-failed`; nothing is left then. */
export async function buildImage(world: BuildWorld, order: BuildOrder): Promise<Built> {
  const stop = new AbortController();
  const signal = AbortSignal.any([world.signal, stop.signal]);
  const work = await begin(world, signal);
  try {
    await runSteps(buildSteps(world, order), work, {
      tell: world.tell,
      elapsedMs: world.elapsedMs,
      signal,
    });
    if (work.published === undefined || work.version === undefined)
      throw new CoiError('image-build-failed', 'Incus published no image');
    return { fingerprint: work.published, version: work.version };
  } finally {
    // What still fetches writes into the directory that is removed next.
    stop.abort(new CoiError('cancelled', 'the build is over'));
    await work.npm.catch(() => undefined);
    await cleanUp(world, work);
  }
}

async function begin(world: BuildWorld, signal: AbortSignal): Promise<Work> {
  const directory = await mkdtemp(join(world.temporary, `${workPrefix}${world.pid}-`));
  const input = join(directory, 'input');
  await mkdir(input);
  const down: Downloader = { input, run: world.run, log: world.log, signal };
  return {
    name: `${workPrefix}${randomBytes(4).toString('hex')}`,
    directory,
    input,
    down,
    npm: Promise.resolve(),
    essential: [],
  };
}

function buildSteps(world: BuildWorld, order: BuildOrder): Step<Work>[] {
  const { incus } = world;
  const { recipe, arch } = order;
  const container = (work: Work) => ({ incus, name: work.name });
  return [
    {
      name: 'download',
      title: 'Downloading packages',
      run: async (work) => {
        await copyGuestFiles(world.guest, join(work.input, 'guest'));
        if (recipe.npmPackages.length > 0) {
          work.npm = downloadNpm(work.down, recipe.npmPackages, arch);
          work.npm.catch(() => undefined);
        }
        work.essential = await downloadPackages(work.down, recipe.packages, arch);
        await unpackEatmydata(world, work);
      },
    },
    {
      name: 'base',
      title: 'Unpacking the base system',
      run: async (work, signal) => {
        work.base = await importBase(world, order, work, signal);
        await startContainer(container(work), work.base, work.input, world.pid);
        await runScript(
          container(work),
          { name: 'bootstrap', title: '', script: 'bootstrap.sh', args: work.essential },
          world.log,
          signal,
        );
      },
    },
    ...recipe.steps.map((step) => ({
      name: step.name,
      title: step.title,
      run: async (work: Work, signal: AbortSignal) => {
        if (step.script === 'agents.sh') await work.npm;
        await runScript(container(work), step, world.log, signal);
      },
    })),
    {
      name: 'publish',
      title: 'Publishing the image',
      run: async (work) => {
        await stopContainer(container(work));
        work.published = await publish(world, order, work);
        await unpackIntoPool(incus, work.published, work.name);
      },
      undo: async (work) => {
        if (work.published !== undefined) await settled(incus.deleteImage(work.published));
      },
    },
    {
      name: 'name',
      title: 'Naming the image',
      run: async (work) => {
        const fingerprint = work.published ?? '';
        work.version = versionAlias(order.alias, world.now());
        await incus.setImageAlias(work.version, fingerprint, 'built by coi');
        await incus.setImageAlias(order.alias, fingerprint, 'built by coi');
      },
    },
  ];
}

async function unpackEatmydata(world: BuildWorld, { input, down }: Work): Promise<void> {
  const archives = join(input, 'apt/archives');
  const deb = (await readdir(archives)).find((name) => name.startsWith('libeatmydata1_')) ?? '';
  const to = join(input, 'eatmydata');
  const { status } = await world.run(['dpkg-deb', '--extract', join(archives, deb), to], {
    signal: down.signal,
    timeoutMs: 60_000,
    onLine: down.log,
  });
  const library = (await readdir(to, { recursive: true }).catch(() => [])).find((path) =>
    /libeatmydata\.so\.[\d.]+$/.test(path),
  );
  if (status !== 0 || library === undefined)
    throw new CoiError('image-build-failed', 'libeatmydata could not be unpacked');
  await copyFile(join(to, library), join(input, 'libeatmydata.so'));
}

/** An image of unpacked essential packages, with a fingerprint of its own for each build. */
async function importBase(
  world: BuildWorld,
  { arch }: BuildOrder,
  work: Work,
  signal: AbortSignal,
): Promise<string> {
  const rootfs = join(work.directory, 'rootfs.tar');
  await writeRootfs(
    rootfs,
    work.essential.map((name) => join(work.input, 'apt/archives', name)),
    signal,
  );
  const metadata = join(work.directory, 'metadata');
  await mkdir(metadata);
  await writeFile(
    join(metadata, 'metadata.yaml'),
    imageMetadata(arch, world.now(), { description: 'coi build, unfinished', build: work.name }),
  );
  await copyGuestFiles(join(world.guest, 'templates'), join(metadata, 'templates'));
  const metadataPath = join(work.directory, 'metadata.tar.gz');
  const { status } = await world.run(['tar', '-C', metadata, '-czf', metadataPath, '.'], {
    signal,
    timeoutMs: 60_000,
    onLine: world.log,
  });
  if (status !== 0) throw new CoiError('image-build-failed', 'tar failed');
  const properties = { [buildKey]: String(world.pid) };
  return fingerprintOf(
    await settled(world.incus.importImage({ metadataPath, rootfsPath: rootfs, properties })),
  );
}

async function publish(
  { incus, now }: BuildWorld,
  { alias, recipe, hash }: BuildOrder,
  work: Work,
): Promise<string> {
  const properties = {
    os: 'debian',
    release: 'trixie',
    description: `${alias}, built by coi`,
    [recipeKey]: hash,
    'user.coi.variant': recipe.variant,
    'user.coi.built': now().toISOString(),
  };
  const operation = await incus.publishImage({
    instance: work.name,
    properties,
    compression: 'none',
  });
  return fingerprintOf((await operation.wait({ timeoutMs: publishLimitMs })).metadata);
}

/** Makes the pool's copy of the image now: otherwise the first session would wait for it. */
async function unpackIntoPool(incus: Incus, fingerprint: string, name: string): Promise<void> {
  const trial = `${name}-trial`;
  await settled(incus.createInstance(await bareInstance(incus, trial, fingerprint)));
  await settled(incus.deleteInstance(trial));
}

function fingerprintOf(metadata: Record<string, unknown> | null): string {
  const fingerprint = metadata?.['fingerprint'];
  if (typeof fingerprint !== 'string')
    throw new CoiError('image-build-failed', 'Incus named no fingerprint');
  return fingerprint;
}

/** One thing that cannot be removed does not keep the others. */
async function cleanUp({ incus, log }: BuildWorld, work: Work): Promise<void> {
  const base = work.base;
  const removals = [
    () => removeContainer({ incus, name: work.name }),
    () => removeContainer({ incus, name: `${work.name}-trial` }),
    async () => (base === undefined ? undefined : void (await settled(incus.deleteImage(base)))),
    () => rm(work.directory, { recursive: true, force: true, maxRetries: 3 }),
  ];
  for (const remove of removals) {
    try {
      await remove();
    } catch (error) {
      log(`cleaning up: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
