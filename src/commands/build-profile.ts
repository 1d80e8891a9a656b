// Which images `coi build` makes besides the default one: those of profiles, and `coi build custom`.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import type { KeyName } from '../config/keys.ts';
import type { ResolvedConfig } from '../config/load.ts';
import { profileNames } from '../config/profile-files.ts';
import { waitingText } from '../config/waiting.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import type { Built } from '../image/build.ts';
import { buildScript, builtAlias, type CustomOrder } from '../image/custom.ts';
import { isDefaultImage, makerOf } from '../image/maker.ts';
import { defaultImage } from '../image/versions.ts';
import { parseImageAlias, quoted } from '../names.ts';
import { incusFailure } from '../session/failure.ts';
import { workspacePath } from '../session/workspace.ts';
import { answeringWorkspace } from './answering.ts';
import { buildCustom, makerFacts, refuseTaken } from './build-custom.ts';
import type { GlobalOptions } from './command.ts';
import { lookedUpConfig, placesOf } from './config.ts';
import { flagsOf } from './global.ts';
import { fileText } from './text-file.ts';

const scriptMaxBytes = 2 ** 20;

export interface ProfileBuildFlags extends GlobalOptions {
  force?: boolean;
  all?: boolean;
  compression?: string;
  json?: boolean;
}

/** What became of one image. */
export interface BuildOutcome {
  readonly image: string;
  readonly outcome: 'built' | 'exists' | 'outdated';
  readonly version?: string;
  readonly fingerprint?: string;
}

interface CustomFlags {
  force?: boolean;
  json?: boolean;
  script?: string;
  base?: string;
}

interface ProfileBuild {
  readonly resolved: ResolvedConfig;
  readonly order: CustomOrder;
}

export function registerCustom(command: Command, app: App): void {
  command
    .command('custom')
    .description('build an image on top of another with a script')
    .argument('<name>', 'alias of the image')
    .requiredOption('--script <path>', 'script that is run as root')
    .option('--base <image>', `image that it starts from (default: ${defaultImage})`)
    .option('-f, --force', 'build it even if it exists')
    .option('--json', 'print what was built as JSON')
    .action(async (name: string, { script, base, ...own }: CustomFlags) => {
      const flags = { ...flagsOf<ProfileBuildFlags>(command), ...own };
      const resolved = await lookedUpConfig(app, flags);
      const order = {
        alias: parseImageAlias(name),
        base: parseImageAlias(base ?? defaultImage),
        script: buildScript(scriptText(app, flags, script ?? ''), []),
        compression: flags.compression ?? resolved.settings['container.build.compression'],
        maker: makerOf([], makerFacts(app)),
        replaces: true,
      };
      const outcome = await one(app, { resolved, order }, flags);
      if (flags.json) app.io.printJson({ images: [outcome] });
    });
}

/**
 * Builds what a profile or the configuration asks for, or all with --all. Undefined if nothing does, so that the
 * default image is meant.
 */
export async function buildProfiles(
  app: App,
  flags: ProfileBuildFlags,
  buildDefault: () => Promise<BuildOutcome>,
): Promise<BuildOutcome[] | undefined> {
  if (!flags.all) {
    const wanted = await profileBuild(app, flags);
    return wanted && [await one(app, wanted, flags)];
  }
  // All that is wrong with a recipe is said before anything is built.
  const builds: ProfileBuild[] = [];
  for (const { name } of profileNames(placesOf(app, flags), hostFiles)) {
    const build = await profileBuild(app, { ...flags, profile: name });
    if (build && !builds.some(({ order }) => order.alias === build.order.alias)) builds.push(build);
  }
  const sorted = baseFirst(builds);
  if (flags.force) for (const { order } of sorted) await refuseTaken(app, order);
  const outcomes = [await buildDefault()];
  for (const build of sorted) outcomes.push(await one(app, build, flags));
  return outcomes;
}

/** An image that another is built on comes before it. Throws `config-invalid` for a circle. */
export function baseFirst<T extends { readonly order: Pick<CustomOrder, 'alias' | 'base'> }>(
  builds: readonly T[],
): T[] {
  const sorted: T[] = [];
  let left = [...builds];
  while (left.length > 0) {
    const ready = left.filter(
      ({ order }) => !left.some((other) => other.order.alias === order.base),
    );
    if (ready.length === 0)
      throw new CoiError('config-invalid', 'the [container.build] bases go round in a circle', {
        hint: `See the profiles of ${left.map(({ order }) => order.alias).join(', ')}.`,
      });
    sorted.push(...ready);
    left = left.filter((build) => !ready.includes(build));
  }
  return sorted;
}

async function profileBuild(app: App, flags: ProfileBuildFlags): Promise<ProfileBuild | undefined> {
  const resolved = await lookedUpConfig(app, flags);
  const { settings, waiting } = resolved;
  // Without them another image would be built, or found to be there.
  const held = waiting.find(({ name }) => name === 'container.image' || isOfBuild(name));
  if (held)
    throw new CoiError('config-invalid', `${waitingText(held)} waits for your approval`, {
      hint: 'Run `coi trust`, then build again.',
    });
  const [script, commands] = [
    settings['container.build.script'],
    settings['container.build.commands'],
  ];
  if (script === undefined && commands.length === 0) return undefined;
  const alias = builtAlias(settings['container.image']);
  if (isDefaultImage(alias))
    throw new CoiError('config-invalid', `a build script cannot make the image '${alias}'`, {
      hint: 'Give the image of the profile another name: [container] image.',
    });
  const order = {
    alias,
    base: parseImageAlias(settings['container.build.base'] ?? defaultImage),
    script: buildScript(
      script === undefined ? undefined : scriptText(app, flags, script),
      commands,
    ),
    compression: flags.compression ?? settings['container.build.compression'],
    maker: makerOf(recipeSources(resolved), makerFacts(app)),
    replaces: false,
  };
  return { resolved, order };
}

/** The files that say what is built, and under which name. */
function recipeSources({ origins }: ResolvedConfig): (string | undefined)[] {
  const names = ['image', 'build.script', 'build.commands', 'build.base'] as const;
  return names.flatMap((name) =>
    origins[`container.${name}`].map((origin) => ('path' in origin ? origin.path : undefined)),
  );
}

async function one(
  app: App,
  { resolved, order }: ProfileBuild,
  { force = false, json = false }: Pick<ProfileBuildFlags, 'force' | 'json'>,
): Promise<BuildOutcome> {
  try {
    for (const warning of resolved.warnings) app.io.warn(warning);
    app.io.tell(`Building image '${order.alias}' from '${order.base}'`);
    return sayBuilt(app, order.alias, await buildCustom(app, resolved, order, force), json);
  } catch (error) {
    throw incusFailure(error, 'building the image failed');
  }
}

function isOfBuild(name: KeyName): boolean {
  return name.startsWith('container.build.');
}

export function sayBuilt(
  app: App,
  image: string,
  built: Built | 'exists' | 'outdated',
  json: boolean,
): BuildOutcome {
  const say = json ? app.io.tell : app.io.print;
  if (built === 'exists' || built === 'outdated') {
    const how = built === 'outdated' ? ', made by another recipe' : '';
    say(`Image '${image}' already exists${how}. Use --force to rebuild it.`);
    return { image, outcome: built };
  }
  say(`Image '${image}' built successfully!`);
  say(`  Version:     ${built.version}\n  Fingerprint: ${built.fingerprint}`);
  return { image, outcome: 'built', ...built };
}

function scriptText(app: App, flags: ProfileBuildFlags, path: string): string {
  const workspace = answeringWorkspace(app, flags.workspace);
  const full = workspacePath(app.cwd, path);
  if (!hostFiles.exists(full))
    throw new CoiError('config-invalid', `the build script ${quoted(full)} does not exist`);
  return fileText(app, path, 'the build script', workspace, scriptMaxBytes);
}
