// The image that sessions start from, and the small one of coi's own tests.
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { arch as nodeArchitecture } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { loadConfig } from '../../config/load.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { removeOwnDirectories } from '../../host/fs/meta/own-directories.ts';
import { guestFiles, runnerIn } from '../../host/install/resources.ts';
import { readProgram } from '../../host/process/program.ts';
import { isAlive, ownPid, runCommand } from '../../host/process/run-program.ts';
import { type BuildOrder, type BuildWorld, type Built, buildImage } from '../../image/build.ts';
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
import type { AppContext } from '../context.ts';
import { placesIn } from '../places.ts';

/** On disk, unlike /tmp on many hosts, and a build needs two gigabytes. */
const temporary = '/var/tmp';

/** Fast, and a third of the size; where there is no zstd, no compression is the fast one. */
const zstd = 'zstd -1 -T0';

export function aliasOf(variant: Variant): string {
  return variant === 'test' ? testImage : defaultImage;
}

/**
 * Builds the image unless it is there; the one of the tests also when its recipe has changed. Throws `image-build-failed`, `cancelled` and what a failed call to Incus means.
 */
export async function buildDefaultImage(
  app: AppContext,
  variant: Variant,
  { force = false, profile }: { force?: boolean; profile?: string } = {},
): Promise<Built | 'exists' | 'outdated'> {
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
    const built = await buildLogged(app, incus, guest, order);
    // Versions of the default image stay, those of the tests' image are of no use to anybody.
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
): Promise<BuildOrder> {
  const facts = { ...placesIn(app, app.cwd), profile };
  const { settings, warnings } = await loadConfig(facts, hostFiles);
  for (const warning of warnings) app.report.warn(warning);
  const arch = architecture(nodeArchitecture());
  const made = recipe(variant, settings['container.build.agents'], arch);
  const limits = { signal: app.signal, timeoutMs: 10_000 };
  const hasZstd = (await runCommand(['zstd', '--version'], limits)).status === 0;
  return {
    alias: aliasOf(variant),
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
    // A build beside this one was quicker.
    if (!isMissing(error)) throw error;
  }
}

async function isFresh(incus: Incus, fingerprint: string, { hash }: BuildOrder): Promise<boolean> {
  return (await incus.image(fingerprint))?.properties[imageKeys.recipe] === hash;
}

/** The whole output goes to ~/.coi/logs; a failure names the file. */
async function buildLogged(
  app: AppContext,
  incus: Incus,
  guest: readonly GuestFile[],
  order: BuildOrder,
): Promise<Built> {
  const logs = join(app.user.home, '.coi/logs');
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const path = join(logs, `build-${versionAlias(order.alias, app.clock.now())}.log`);
  const file = createWriteStream(path, { mode: 0o600 });
  const progress = app.progress();
  app.report.info(`Building image '${order.alias}' (log: ${path})`);
  try {
    return await buildImage(world(app, incus, guest, file, progress.tell), order);
  } catch (error) {
    progress.clear();
    throw explained(error, path);
  } finally {
    progress.clear();
    file.end();
    await finished(file);
  }
}

function world(
  app: AppContext,
  incus: Incus,
  guest: readonly GuestFile[],
  file: WriteStream,
  tell: BuildWorld['tell'],
): BuildWorld {
  return {
    incus,
    run: runCommand,
    read: readProgram,
    pid: ownPid(),
    temporary,
    guest,
    runner: runnerIn('/'),
    now: app.clock.now,
    elapsedMs: app.clock.elapsedMs,
    log: (line) => void file.write(`${line}\n`),
    tell: (event) => {
      if (event.kind === 'started') file.write(`== ${event.title}\n`);
      if (event.kind === 'done') file.write(`== took ${(event.tookMs / 1000).toFixed(1)} s\n`);
      tell(event);
    },
    signal: app.signal,
  };
}

function explained(error: unknown, path: string): unknown {
  if (!(error instanceof CoiError) || error.code !== 'image-build-failed') return error;
  return new CoiError('image-build-failed', `building the image failed: ${error.message}`, {
    hint: `${error.hint ?? 'See what was printed'} (log: ${path})`,
    cause: error,
  });
}
