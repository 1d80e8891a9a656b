// `coi build`: makes the image that sessions start from.
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { arch as nodeArchitecture } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import type { App } from '../app.ts';
import { loadConfig } from '../config/load.ts';
import { CoiError } from '../errors.ts';
import { isAlive, ownPid, runCommand } from '../host/command.ts';
import { hostFiles } from '../host/files.ts';
import { removeOwnDirectories } from '../host/own-directories.ts';
import { guestFiles, runnerIn } from '../host/resources.ts';
import { type BuildOrder, type BuildWorld, type Built, buildImage } from '../image/build.ts';
import { architecture, type GuestFile, recipe, recipeHash, type Variant } from '../image/recipe.ts';
import { sweepDeadBuilds } from '../image/sweep.ts';
import { defaultImage, recipeKey, testImage, versionAlias } from '../image/versions.ts';
import type { Incus } from '../incus/client.ts';
import { incusFailure, isMissing } from '../session/failure.ts';
import { stepProgress } from '../ui/progress.ts';
import {
  type BuildOutcome,
  buildProfiles,
  type ProfileBuildFlags,
  registerCustom,
  sayBuilt,
} from './build-profile.ts';
import type { GlobalOptions } from './command.ts';

/** On disk, unlike /tmp on many hosts, and a build needs two gigabytes. */
const temporary = '/var/tmp';

/** Fast, and a third of the size; where there is no zstd, no compression is the fast one. */
const zstd = 'zstd -1 -T0';

interface BuildFlags {
  readonly force?: boolean;
  readonly testImage?: boolean;
  readonly json?: boolean;
}

export function register(command: Command, app: App): void {
  registerCustom(command, app);
  command
    .option('-f, --force', 'build it even if it exists')
    .option('--all', 'also the images of all profiles with a [container.build] section')
    .option('--json', 'print what was built as JSON')
    .addOption(new Option('--compression <algorithm>', 'of the built image').hideHelp())
    .addOption(new Option('--test-image', 'build the small image of the tests').hideHelp())
    .action(async (_flags: BuildFlags, self: Command) => {
      const flags: BuildFlags & ProfileBuildFlags = self.optsWithGlobals();
      const usual = () => defaultBuild(app, flags);
      const asked = flags.testImage ? undefined : await buildProfiles(app, flags, usual);
      const images = asked ?? [await usual()];
      if (flags.json) app.io.printJson({ images });
    });
}

async function defaultBuild(app: App, flags: BuildFlags & GlobalOptions): Promise<BuildOutcome> {
  const variant: Variant = flags.testImage ? 'test' : 'default';
  const built = await build(app, variant, flags);
  return sayBuilt(app, aliasOf(variant), built, flags.json ?? false);
}

function aliasOf(variant: Variant): string {
  return variant === 'test' ? testImage : defaultImage;
}

/**
 * Builds the image unless it is there; the one of the tests also when its recipe has changed. Tells its progress on
 * stderr. Throws `image-build-failed`, `cancelled` and what a failed call to Incus means.
 */
export async function build(
  app: App,
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
  app: App,
  variant: Variant,
  guest: readonly GuestFile[],
  profile: string | undefined,
): Promise<BuildOrder> {
  const { home } = app.user;
  const facts = { home, workspace: app.cwd, cwd: app.cwd, env: app.env, profile };
  const { settings, warnings } = await loadConfig(facts, hostFiles);
  for (const warning of warnings) app.io.warn(warning);
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
  return (await incus.image(fingerprint))?.properties[recipeKey] === hash;
}

/** The whole output goes to ~/.coi/logs; a failure names the file. */
async function buildLogged(
  app: App,
  incus: Incus,
  guest: readonly GuestFile[],
  order: BuildOrder,
): Promise<Built> {
  const logs = join(app.user.home, '.coi/logs');
  await mkdir(logs, { recursive: true, mode: 0o700 });
  const path = join(logs, `build-${versionAlias(order.alias, app.clock.now())}.log`);
  const file = createWriteStream(path, { mode: 0o600 });
  const progress = stepProgress(app.io);
  app.io.tell(`Building image '${order.alias}' (log: ${path})`);
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
  app: App,
  incus: Incus,
  guest: readonly GuestFile[],
  file: WriteStream,
  tell: BuildWorld['tell'],
): BuildWorld {
  return {
    incus,
    run: runCommand,
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
