// Which images `coi build` makes besides the default one: those of profiles, and `coi build custom`.
import type { KeyName } from '../../config/keys/table.ts';
import { profileNames } from '../../config/profile-files.ts';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { waitingText } from '../../config/trust/waiting.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { Built } from '../../image/build.ts';
import { buildScript, builtAlias, type CustomOrder } from '../../image/custom.ts';
import { isDefaultImage, makerOf } from '../../image/maker.ts';
import { defaultImage } from '../../image/versions.ts';
import { parseImageAlias, quoted } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { workspacePath } from '../../session/plan/workspace.ts';
import { answeringWorkspace } from '../answering-workspace.ts';
import { lookedUpConfig, placesOf } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import { fileText } from '../text-file.ts';
import { buildCustom, makerFacts, refuseTaken } from './build-custom.ts';
import { buildDefaultImage } from './build-default.ts';

const scriptMaxBytes = 2 ** 20;

export interface BuildRequest {
  /** Where relative paths start, and whose configuration counts. */
  readonly workspace?: string;
  readonly profile?: string;
  /** Also what is there is built anew. */
  readonly force?: boolean;
  /** Of the image's file. */
  readonly compression?: string;
}

/** What became of one image. */
export interface BuildOutcome {
  readonly image: string;
  readonly outcome: 'built' | 'exists' | 'outdated';
  readonly version?: string;
  readonly fingerprint?: string;
}

interface ProfileBuild {
  readonly resolved: ResolvedConfig;
  readonly order: CustomOrder;
}

/**
 * Builds what the profile or the configuration asks for, and the default image where nothing does; each image is told as
 * it comes. `all`: the default image and those of all profiles. Throws `config-invalid`, `image-build-failed`.
 */
export async function* buildImages(
  app: AppContext,
  request: BuildRequest & { readonly all?: boolean },
): AsyncGenerator<BuildOutcome> {
  const usual = async () =>
    outcomeOf(defaultImage, await buildDefaultImage(app, 'default', request));
  if (!request.all) {
    const wanted = await profileBuild(app, request);
    yield wanted ? await one(app, wanted, request) : await usual();
    return;
  }
  // All that is wrong with a recipe is said before anything is built.
  const builds: ProfileBuild[] = [];
  for (const { name } of profileNames(placesOf(app, request), hostFiles)) {
    const build = await profileBuild(app, { ...request, profile: name });
    if (build && !builds.some(({ order }) => order.alias === build.order.alias)) builds.push(build);
  }
  const sorted = baseFirst(builds);
  if (request.force) for (const { order } of sorted) await refuseTaken(app, order);
  yield await usual();
  for (const build of sorted) yield await one(app, build, request);
}

export interface CustomImageRequest extends BuildRequest {
  readonly name: string;
  /** Path of a script that is run as root. */
  readonly script: string;
  /** Default: coi's own image. */
  readonly base?: string | undefined;
}

/** Builds one image on top of another. */
export async function buildCustomImage(
  app: AppContext,
  request: CustomImageRequest,
): Promise<BuildOutcome> {
  const resolved = await lookedUpConfig(app, request);
  const order = {
    alias: parseImageAlias(request.name),
    base: parseImageAlias(request.base ?? defaultImage),
    script: buildScript(scriptText(app, request, request.script), []),
    compression: request.compression ?? resolved.settings['container.build.compression'],
    maker: makerOf([], makerFacts(app)),
    replaces: true,
  };
  return one(app, { resolved, order }, request);
}

export function outcomeOf(image: string, built: Built | 'exists' | 'outdated'): BuildOutcome {
  return typeof built === 'string'
    ? { image, outcome: built }
    : { image, outcome: 'built', ...built };
}

/** An image that another is built on comes before it. Throws `config-invalid` for a circle. */
function baseFirst<T extends { readonly order: Pick<CustomOrder, 'alias' | 'base'> }>(
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

async function profileBuild(
  app: AppContext,
  request: BuildRequest,
): Promise<ProfileBuild | undefined> {
  const resolved = await lookedUpConfig(app, request);
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
      script === undefined ? undefined : scriptText(app, request, script),
      commands,
    ),
    compression: request.compression ?? settings['container.build.compression'],
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
  app: AppContext,
  { resolved, order }: ProfileBuild,
  { force = false }: BuildRequest,
): Promise<BuildOutcome> {
  try {
    for (const warning of resolved.warnings) app.report.warn(warning);
    app.report.info(`Building image '${order.alias}' from '${order.base}'`);
    return outcomeOf(order.alias, await buildCustom(app, resolved, order, force));
  } catch (error) {
    throw incusFailure(error, 'building the image failed');
  }
}

function isOfBuild(name: KeyName): boolean {
  return name.startsWith('container.build.');
}

function scriptText(app: AppContext, request: BuildRequest, path: string): string {
  const workspace = answeringWorkspace(app, request.workspace);
  const full = workspacePath(app.cwd, path);
  if (!hostFiles.exists(full))
    throw new CoiError('config-invalid', `the build script ${quoted(full)} does not exist`);
  return fileText(app, path, 'the build script', workspace, scriptMaxBytes);
}
