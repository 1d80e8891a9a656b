// Builds an image: fetch on the host, install in a container of its own, publish, name. Leaves nothing else behind.
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CoiError } from '../errors.ts';
import type { ReadProgram } from '../host/process/program.ts';
import type { RunCommand } from '../host/process/run-command.ts';
import type { Incus } from '../incus/client.ts';
import { runSteps, type Step, type StepEvent } from '../session/lifecycle/steps.ts';
import { unpackEatmydata, writeBase } from './base.ts';
import {
  removeContainer,
  runScript,
  startContainer,
  stopContainer,
  waitForOperation,
} from './container.ts';
import { type Downloader, downloadPackages, makeReadable } from './download.ts';
import { downloadNpm } from './download-npm.ts';
import { writeGuestFiles } from './guest-files.ts';
import { importBase, publish, trialName, unpackIntoPool } from './publish.ts';
import type { Architecture, GuestFile, Recipe } from './recipe.ts';
import { versionAlias } from './versions.ts';

export const workPrefix = 'coi-build-';

export interface BuildDependencies {
  readonly incus: Incus;
  readonly run: RunCommand;
  readonly read: ReadProgram;
  readonly pid: number;
  /** Directory for temporary files, on a disk that Incus can read. */
  readonly temporary: string;
  /** The guest's scripts, and what is copied into it. */
  readonly guest: readonly GuestFile[];
  /** Starts as root, inside, what it is handed on stdin. */
  readonly runner: readonly string[];
  readonly now: () => Date;
  readonly elapsedMs: () => number;
  readonly log: (line: string) => void;
  readonly report: (event: StepEvent) => void;
  readonly signal: AbortSignal;
}

export interface ImageSpec {
  readonly alias: string;
  readonly recipe: Recipe;
  readonly hash: string;
  readonly arch: Architecture;
  /** As Incus takes it, `none` or a program with arguments. */
  readonly compression: string;
}

export interface BuildResult {
  readonly fingerprint: string;
  readonly version: string;
}

interface BuildState {
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
  /** What the alias named before. */
  previous?: string | undefined;
  version?: string;
}

/** Builds, publishes and names the image. Throws `image-build-failed`; nothing is left then. */
export async function buildImage(world: BuildDependencies, spec: ImageSpec): Promise<BuildResult> {
  const stop = new AbortController();
  const signal = AbortSignal.any([world.signal, stop.signal]);
  const work = await beginBuild(world, signal);
  try {
    await runSteps(buildSteps(world, spec), work, {
      report: world.report,
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

async function beginBuild(world: BuildDependencies, signal: AbortSignal): Promise<BuildState> {
  const directory = await mkdtemp(join(world.temporary, `${workPrefix}${world.pid}-`));
  const input = join(directory, 'input');
  const secret = join(directory, 'secret');
  await mkdir(secret);
  await mkdir(input);
  await chmod(input, 0o755);
  const down: Downloader = { input, secret, run: world.run, log: world.log, signal };
  return {
    name: `${workPrefix}${randomBytes(4).toString('hex')}`,
    directory,
    input,
    down,
    npm: Promise.resolve(),
    essential: [],
  };
}

function buildSteps(world: BuildDependencies, spec: ImageSpec): Step<BuildState>[] {
  const { incus, runner } = world;
  const { recipe, arch } = spec;
  const container = (work: BuildState) => ({ incus, name: work.name, runner });
  return [
    {
      name: 'download',
      title: 'Downloading packages',
      run: async (work) => {
        await writeGuestFiles(world.guest, join(work.input, 'guest'));
        if (recipe.npmPackages.length > 0) {
          work.npm = downloadNpm(work.down, recipe.npmPackages, arch);
          work.npm.catch(() => undefined);
        }
        work.essential = await downloadPackages(work.down, recipe.packages, arch);
        await unpackEatmydata(world.run, work.down);
        await makeReadable(work.down, ['guest', 'libeatmydata.so']);
      },
    },
    {
      name: 'base',
      title: 'Unpacking the base system',
      run: async (work, signal) => {
        const files = await writeBase(world, arch, work, signal);
        work.base = await importBase(incus, files, world.pid);
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
      run: async (work: BuildState, signal: AbortSignal) => {
        if (step.script === 'agents.sh') await work.npm;
        await runScript(container(work), step, world.log, signal);
      },
    })),
    {
      name: 'publish',
      title: 'Publishing the image',
      run: async (work) => {
        await stopContainer(container(work));
        work.published = await publish(world, spec, work.name);
        await unpackIntoPool(world, work.published, work.name);
      },
      undo: async (work) => {
        if (work.published !== undefined) await waitForOperation(incus.deleteImage(work.published));
      },
    },
    {
      name: 'name',
      title: 'Naming the image',
      run: async (work) => {
        const fingerprint = work.published ?? '';
        work.previous = (await incus.imageAlias(spec.alias))?.target;
        work.version = versionAlias(spec.alias, world.now());
        await incus.setImageAlias(work.version, fingerprint, 'built by coi');
        await incus.setImageAlias(spec.alias, fingerprint, 'built by coi');
      },
      // Deleting the image would take the alias with it that was another image's before.
      undo: async ({ previous }) => {
        if (previous !== undefined) await incus.setImageAlias(spec.alias, previous, 'built by coi');
      },
    },
  ];
}

/** One thing that cannot be removed does not keep the others. */
async function cleanUp({ incus, log }: BuildDependencies, work: BuildState): Promise<void> {
  const base = work.base;
  const removals = [
    () => removeContainer({ incus, name: work.name }),
    () => removeContainer({ incus, name: trialName(work.name) }),
    async () =>
      base === undefined ? undefined : void (await waitForOperation(incus.deleteImage(base))),
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
