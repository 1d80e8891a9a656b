// Images that `coi build` makes besides the default one: those of profiles and of `coi build custom`.
import type { KeyName } from '../../config/keys/table.ts';
import { listProfiles } from '../../config/profile-files.ts';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { pendingText } from '../../config/trust/pending.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { BuildResult } from '../../image/build.ts';
import { buildScript, type CustomImageSpec, parseBuildAlias } from '../../image/custom.ts';
import { isDefaultImage, makerOf } from '../../image/maker.ts';
import { defaultImage } from '../../image/versions.ts';
import { parseImageAlias, quoted } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { workspacePath } from '../../session/plan/workspace.ts';
import { configPathsFor, readConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import { resolveWorkspace } from '../resolve-workspace.ts';
import { readTextFile } from '../text-file.ts';
import { buildCustom, makerFacts, refuseTaken } from './build-custom.ts';
import { buildDefaultImage } from './build-default.ts';

const scriptMaxBytes = 2 ** 20;

export interface BuildRequest {
  /** The workspace whose configuration applies. */
  readonly workspace?: string;
  readonly profile?: string;
  /** Rebuild images that exist. */
  readonly force?: boolean;
  /** Compression of the image file. */
  readonly compression?: string;
}

/** The result for one image. */
export interface BuildOutcome {
  readonly image: string;
  readonly outcome: 'built' | 'exists' | 'outdated';
  readonly version?: string;
  readonly fingerprint?: string;
}

interface ProfileBuild {
  readonly resolved: ResolvedConfig;
  readonly order: CustomImageSpec;
}

/**
 * Builds the image of the profile or the configuration, or the default image if they have none; yields each image when it
 * is done. `all`: the default image and those of all profiles. Throws `config-invalid`, `image-build-failed`.
 */
export async function* buildImages(
  app: AppContext,
  request: BuildRequest & { readonly all?: boolean },
): AsyncGenerator<BuildOutcome> {
  const buildDefault = async () =>
    buildOutcome(defaultImage, await buildDefaultImage(app, 'default', request));
  if (!request.all) {
    const wanted = await profileBuild(app, request);
    yield wanted ? await buildProfileImage(app, wanted, request) : await buildDefault();
    return;
  }
  // All recipes are checked before anything is built.
  const builds: ProfileBuild[] = [];
  for (const { name } of listProfiles(configPathsFor(app, request), hostFiles)) {
    const build = await profileBuild(app, { ...request, profile: name });
    if (build && !builds.some(({ order }) => order.alias === build.order.alias)) builds.push(build);
  }
  const sorted = baseFirst(builds);
  if (request.force) for (const { order } of sorted) await refuseTaken(app, order);
  yield await buildDefault();
  for (const build of sorted) yield await buildProfileImage(app, build, request);
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
  const resolved = await readConfig(app, request);
  const order = {
    alias: parseImageAlias(request.name),
    base: parseImageAlias(request.base ?? defaultImage),
    script: buildScript(scriptText(app, request, request.script), []),
    compression: request.compression ?? resolved.settings['container.build.compression'],
    maker: makerOf([], makerFacts(app)),
    replaces: true,
  };
  return buildProfileImage(app, { resolved, order }, request);
}

export function buildOutcome(
  image: string,
  built: BuildResult | 'exists' | 'outdated',
): BuildOutcome {
  return typeof built === 'string'
    ? { image, outcome: built }
    : { image, outcome: 'built', ...built };
}

/** Sorts images after the images that they are built on. Throws `config-invalid` for a cycle. */
function baseFirst<T extends { readonly order: Pick<CustomImageSpec, 'alias' | 'base'> }>(
  builds: readonly T[],
): T[] {
  const sorted: T[] = [];
  let left = [...builds];
  while (left.length > 0) {
    const ready = left.filter(
      ({ order }) => !left.some((other) => other.order.alias === order.base),
    );
    if (ready.length === 0)
      throw new CoiError('config-invalid', 'the [container.build] bases form a cycle', {
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
  const resolved = await readConfig(app, request);
  const { settings, waiting } = resolved;
  // Without the unapproved values another image would be built, or found.
  const unapproved = waiting.find(({ name }) => name === 'container.image' || isBuildKey(name));
  if (unapproved)
    throw new CoiError('config-invalid', `${pendingText(unapproved)} waits for your approval`, {
      hint: 'Run `coi trust`, then build again.',
    });
  const [script, commands] = [
    settings['container.build.script'],
    settings['container.build.commands'],
  ];
  if (script === undefined && commands.length === 0) return undefined;
  const alias = parseBuildAlias(settings['container.image']);
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

/** The configuration files that define the build and the image's name. */
function recipeSources({ origins }: ResolvedConfig): (string | undefined)[] {
  const names = ['image', 'build.script', 'build.commands', 'build.base'] as const;
  return names.flatMap((name) =>
    origins[`container.${name}`].map((origin) => ('path' in origin ? origin.path : undefined)),
  );
}

async function buildProfileImage(
  app: AppContext,
  { resolved, order }: ProfileBuild,
  { force = false }: BuildRequest,
): Promise<BuildOutcome> {
  try {
    for (const warning of resolved.warnings) app.report.warn(warning);
    app.report.info(`Building image '${order.alias}' from '${order.base}'`);
    return buildOutcome(order.alias, await buildCustom(app, resolved, order, force));
  } catch (error) {
    throw incusFailure(error, 'building the image failed');
  }
}

function isBuildKey(name: KeyName): boolean {
  return name.startsWith('container.build.');
}

function scriptText(app: AppContext, request: BuildRequest, path: string): string {
  const workspace = resolveWorkspace(app, request.workspace);
  const full = workspacePath(app.cwd, path);
  if (!hostFiles.exists(full))
    throw new CoiError('config-invalid', `the build script ${quoted(full)} does not exist`);
  return readTextFile(app, path, 'the build script', workspace, scriptMaxBytes);
}
