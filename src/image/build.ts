// Builds an image: download on the host, install in a build container, publish, set aliases. Leaves nothing else
// behind.
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
  /** Scripts that run in the guest, and files that are copied into it. */
  readonly guest: readonly GuestFile[];
  /** Command in the container that runs, as root, the program it reads from stdin. */
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
  /** In the format of Incus: `none`, or a program with arguments. */
  readonly compression: string;
}

export interface BuildResult {
  readonly fingerprint: string;
  readonly version: string;
}

interface BuildState {
  readonly name: string;
  /** Always removed at the end. */
  readonly directory: string;
  readonly input: string;
  readonly downloader: Downloader;
  /** The agents are downloaded while the packages are installed. */
  npm: Promise<void>;
  essential: string[];
  base?: string;
  published?: string;
  /** Fingerprint that the alias pointed to before. */
  previous?: string | undefined;
  version?: string;
}

/** Builds the image, publishes it and sets its aliases. Throws `image-build-failed` and leaves nothing behind. */
export async function buildImage(deps: BuildDependencies, spec: ImageSpec): Promise<BuildResult> {
  const stop = new AbortController();
  const signal = AbortSignal.any([deps.signal, stop.signal]);
  const work = await beginBuild(deps, signal);
  try {
    await runSteps(buildSteps(deps, spec), work, {
      report: deps.report,
      elapsedMs: deps.elapsedMs,
      signal,
    });
    if (work.published === undefined || work.version === undefined)
      throw new CoiError('image-build-failed', 'Incus published no image');
    return { fingerprint: work.published, version: work.version };
  } finally {
    // A download that still runs writes into the directory that is removed next.
    stop.abort(new CoiError('cancelled', 'the build is over'));
    await work.npm.catch(() => undefined);
    await cleanUp(deps, work);
  }
}

async function beginBuild(deps: BuildDependencies, signal: AbortSignal): Promise<BuildState> {
  const directory = await mkdtemp(join(deps.temporary, `${workPrefix}${deps.pid}-`));
  const input = join(directory, 'input');
  const secret = join(directory, 'secret');
  await mkdir(secret);
  await mkdir(input);
  await chmod(input, 0o755);
  const downloader: Downloader = { input, secret, run: deps.run, log: deps.log, signal };
  return {
    name: `${workPrefix}${randomBytes(4).toString('hex')}`,
    directory,
    input,
    downloader,
    npm: Promise.resolve(),
    essential: [],
  };
}

function buildSteps(deps: BuildDependencies, spec: ImageSpec): Step<BuildState>[] {
  const { incus, runner } = deps;
  const { recipe, arch } = spec;
  const container = (work: BuildState) => ({ incus, name: work.name, runner });
  return [
    {
      name: 'download',
      title: 'Downloading packages',
      run: async (work) => {
        await writeGuestFiles(deps.guest, join(work.input, 'guest'));
        if (recipe.npmPackages.length > 0) {
          work.npm = downloadNpm(work.downloader, recipe.npmPackages, arch);
          work.npm.catch(() => undefined);
        }
        work.essential = await downloadPackages(work.downloader, recipe.packages, arch);
        await unpackEatmydata(deps.run, work.downloader);
        await makeReadable(work.downloader, ['guest', 'libeatmydata.so']);
      },
    },
    {
      name: 'base',
      title: 'Unpacking the base system',
      run: async (work, signal) => {
        const files = await writeBase(deps, arch, work, signal);
        work.base = await importBase(incus, files, deps.pid);
        await startContainer(container(work), work.base, work.input, deps.pid);
        await runScript(
          container(work),
          { name: 'bootstrap', title: '', script: 'bootstrap.sh', args: work.essential },
          deps.log,
          signal,
        );
      },
    },
    ...recipe.steps.map((step) => ({
      name: step.name,
      title: step.title,
      run: async (work: BuildState, signal: AbortSignal) => {
        if (step.script === 'agents.sh') await work.npm;
        await runScript(container(work), step, deps.log, signal);
      },
    })),
    {
      name: 'publish',
      title: 'Publishing the image',
      run: async (work) => {
        await stopContainer(container(work));
        work.published = await publish(deps, spec, work.name);
        await unpackIntoPool(deps, work.published, work.name);
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
        work.version = versionAlias(spec.alias, deps.now());
        await incus.setImageAlias(work.version, fingerprint, 'built by coi');
        await incus.setImageAlias(spec.alias, fingerprint, 'built by coi');
      },
      // Deleting the image would also delete the alias, which belonged to another image before.
      undo: async ({ previous }) => {
        if (previous !== undefined) await incus.setImageAlias(spec.alias, previous, 'built by coi');
      },
    },
  ];
}

/** Continues after a removal that fails. */
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
