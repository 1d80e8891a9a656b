// `coi build`: makes the image that sessions start from.
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { arch as nodeArchitecture } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { isAlive, ownPid, runCommand } from '../host/command.ts';
import { type BuildOrder, type BuildWorld, type Built, buildImage } from '../image/build.ts';
import { guestDirectory, guestFiles } from '../image/guestfiles.ts';
import { architecture, defaultAgents, recipe, recipeHash, type Variant } from '../image/recipe.ts';
import { sweepDeadBuilds } from '../image/sweep.ts';
import { defaultImage, recipeKey, testImage, versionAlias } from '../image/versions.ts';
import type { Incus } from '../incus/client.ts';
import { incusFailure } from '../session/failure.ts';
import { stepProgress } from '../ui/progress.ts';

/** On disk, unlike /tmp on many hosts, and a build needs two gigabytes. */
const temporary = '/var/tmp';

interface BuildOptions {
  readonly force?: boolean;
  readonly testImage?: boolean;
}

export function register(command: Command, app: App): void {
  command
    .option('-f, --force', 'build it even if it exists')
    .addOption(new Option('--test-image', 'build the small image of the tests').hideHelp())
    .action(async (options: BuildOptions) => {
      const variant: Variant = options.testImage ? 'test' : 'default';
      const built = await build(app, variant, options.force ?? false);
      const alias = options.testImage ? testImage : defaultImage;
      if (built === 'exists')
        return app.io.print(`Image '${alias}' already exists. Use --force to rebuild it.`);
      app.io.print(
        `Image '${alias}' built successfully!\n  Version:     ${built.version}\n  Fingerprint: ${built.fingerprint}`,
      );
    });
}

/** Builds the image unless it is there; the one of the tests also when its recipe has changed. Tells its progress on stderr. */
export async function build(app: App, variant: Variant, force: boolean): Promise<Built | 'exists'> {
  const alias = variant === 'test' ? testImage : defaultImage;
  const incus = await app.incus();
  try {
    const guest = await guestDirectory();
    const arch = architecture(nodeArchitecture());
    const made = recipe(variant, defaultAgents, arch);
    const order: BuildOrder = {
      alias,
      recipe: made,
      hash: recipeHash(made, await guestFiles(guest)),
      arch,
    };
    const old = await incus.imageAlias(alias, { signal: app.signal });
    if (old && !force && (variant === 'default' || (await isFresh(incus, old.target, order))))
      return 'exists';
    await sweepDeadBuilds(incus, temporary, app.user.uid, isAlive);
    const built = await buildLogged(app, incus, guest, order);
    if (variant === 'test' && old && old.target !== built.fingerprint)
      await (await incus.deleteImage(old.target)).wait();
    return built;
  } catch (error) {
    throw incusFailure(error, 'building the image failed');
  }
}

async function isFresh(incus: Incus, fingerprint: string, { hash }: BuildOrder): Promise<boolean> {
  return (await incus.image(fingerprint))?.properties[recipeKey] === hash;
}

/** The whole output goes to ~/.coi/logs; a failure names the file. */
async function buildLogged(
  app: App,
  incus: Incus,
  guest: string,
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
  guest: string,
  file: WriteStream,
  tell: BuildWorld['tell'],
): BuildWorld {
  return {
    incus,
    run: runCommand,
    pid: ownPid(),
    temporary,
    guest,
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
