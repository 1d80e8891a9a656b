// Builds the default image of sessions, and the small one of coi's own tests.
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { arch as nodeArchitecture } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { loadConfig } from '../../config/load.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { removeOwnDirectories } from '../../host/fs/meta/own-directories.ts';
import { guestFiles, runnerCommand } from '../../host/install/resources.ts';
import { readProgram } from '../../host/process/program.ts';
import { isAlive, ownPid, runCommand } from '../../host/process/run-command.ts';
import {
  type BuildDependencies,
  type BuildResult,
  buildImage,
  type ImageSpec,
} from '../../image/build.ts';
import {
  architecture,
  type GuestFile,
  recipe,
  recipeHash,
  type Variant,
} from '../../image/recipe.ts';
import { sweepDeadBuilds } from '../../image/sweep.ts';
import { defaultImage, testImage, versionAlias } from '../../image/versions.ts';
import type { Incus } from '../../incus/client.ts';
import { imageKeys } from '../../instance-keys.ts';
import { incusFailure, isMissing } from '../../session/lifecycle/incus-failure.ts';
import { configPaths } from '../config-paths.ts';
import type { AppContext } from '../context.ts';

/** On disk, unlike /tmp on many hosts: a build needs two gigabytes. */
const temporary = '/var/tmp';

/** Fast, and a third of the size; without zstd, only no compression is fast. */
const zstd = 'zstd -1 -T0';

export function variantAlias(variant: Variant): string {
  return variant === 'test' ? testImage : defaultImage;
}

/**
 * Builds the image unless it exists; the test image also if its recipe has changed. Throws `image-build-failed`,
 * `cancelled`, and if a call to Incus fails.
 */
export async function buildDefaultImage(
  app: AppContext,
  variant: Variant,
  { force = false, profile }: { force?: boolean; profile?: string } = {},
): Promise<BuildResult | 'exists' | 'outdated'> {
  const incus = await app.incus();
  try {
    const guest = guestFiles();
    const order = await buildOrder(app, variant, guest, profile);
    const old = await incus.imageAlias(order.alias, { signal: app.signal });
    if (old && !force) {
      if (await isFresh(incus, old.target, order)) return 'exists';
      if (variant === 'default') return 'outdated';
    }
    const { uid } = app.user;
    const sweep = (isMeant: (name: string) => boolean) =>
      removeOwnDirectories(temporary, uid, isMeant);
    await sweepDeadBuilds(incus, sweep, isAlive);
    const built = await buildWithLog(app, incus, guest, order);
    // Old versions of the default image stay; those of the test image are useless.
    if (variant === 'test' && old) await removeImage(incus, old.target);
    return built;
  } catch (error) {
    throw incusFailure(error, 'building the image failed');
  }
}

async function buildOrder(
  app: AppContext,
  variant: Variant,
  guest: readonly GuestFile[],
  profile: string | undefined,
): Promise<ImageSpec> {
  const facts = { ...configPaths(app, app.cwd), profile };
  const { settings, warnings } = await loadConfig(facts, hostFiles);
  for (const warning of warnings) app.report.warn(warning);
  const arch = architecture(nodeArchitecture());
  const made = recipe(variant, settings['container.build.agents'], arch);
  const limits = { signal: app.signal, timeoutMs: 10_000 };
  const hasZstd = (await runCommand(['zstd', '--version'], limits)).status === 0;
  return {
    alias: variantAlias(variant),
    recipe: made,
    hash: recipeHash(made, guest),
    arch,
    compression: settings['container.build.compression'] ?? (hasZstd ? zstd : 'none'),
  };
}

async function removeImage(incus: Incus, fingerprint: string): Promise<void> {
  try {
    await (await incus.deleteImage(fingerprint)).wait();
  } catch (error) {
    // A concurrent build was faster.
    if (!isMissing(error)) throw error;
  }
}

async function isFresh(incus: Incus, fingerprint: string, { hash }: ImageSpec): Promise<boolean> {
  return (await incus.image(fingerprint))?.properties[imageKeys.recipe] === hash;
}

/** Logs the whole output to ~/.coi/logs; an error names the file. */
async function buildWithLog(
  app: AppContext,
  incus: Incus,
  guest: readonly GuestFile[],
  order: ImageSpec,
): Promise<BuildResult> {
  const logs = join(app.user.home, '.coi/logs');
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const path = join(logs, `build-${versionAlias(order.alias, app.clock.now())}.log`);
  const file = createWriteStream(path, { mode: 0o600 });
  const progress = app.progress();
  app.report.info(`Building image '${order.alias}' (log: ${path})`);
  try {
    return await buildImage(buildWorld(app, incus, guest, file, progress.update), order);
  } catch (error) {
    progress.clear();
    throw withLogPath(error, path);
  } finally {
    progress.clear();
    file.end();
    await finished(file);
  }
}

function buildWorld(
  app: AppContext,
  incus: Incus,
  guest: readonly GuestFile[],
  file: WriteStream,
  tell: BuildDependencies['report'],
): BuildDependencies {
  return {
    incus,
    run: runCommand,
    read: readProgram,
    pid: ownPid(),
    temporary,
    guest,
    runner: runnerCommand('/'),
    now: app.clock.now,
    elapsedMs: app.clock.elapsedMs,
    log: (line) => void file.write(`${line}\n`),
    report: (event) => {
      if (event.kind === 'started') file.write(`== ${event.title}\n`);
      if (event.kind === 'done') file.write(`== took ${(event.tookMs / 1000).toFixed(1)} s\n`);
      tell(event);
    },
    signal: app.signal,
  };
}

function withLogPath(error: unknown, path: string): unknown {
  if (!(error instanceof CoiError) || error.code !== 'image-build-failed') return error;
  return new CoiError('image-build-failed', `building the image failed: ${error.message}`, {
    hint: `${error.hint ?? 'See the output'} (log: ${path})`,
    cause: error,
  });
}
