// Builds an image on top of another: launches a container, runs the script as root, publishes. The base is the cache.
import { mkdtempSync, realpathSync } from 'node:fs';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { removeTreeAt } from '../../host/fs/remove-tree.ts';
import { guestScript } from '../../host/install/resources.ts';
import { ownPid } from '../../host/process/run-command.ts';
import type { BuildResult } from '../../image/build.ts';
import { type CustomImageSpec, customHash } from '../../image/custom.ts';
import { type MakerFacts, refuseReplacement } from '../../image/maker.ts';
import { versionAlias } from '../../image/versions.ts';
import type { Incus } from '../../incus/client.ts';
import type { Image } from '../../incus/shapes.ts';
import { imageKeys } from '../../instance-keys.ts';
import { newSessionId } from '../../names.ts';
import { killContainer } from '../../session/lifecycle/end-container.ts';
import { changeState } from '../../session/record/change-instance.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import { noTool } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { launchPlain } from '../run-command/plain-container.ts';
import { makeSessionSpec, restartSettings } from '../session-spec/make-session-spec.ts';
import { checkWorkspace, scratchWorkspace } from '../workspace.ts';
import { baseImage } from './base-image.ts';
import { runLogged } from './build-log.ts';

const publishMs = 15 * 60_000;
const stopMs = 60_000;
const scriptPath = '/root/.coi-build';

/** Builds the image unless it exists. `outdated`: it exists, with another base or script. Throws `image-build-failed`. */
export async function buildCustom(
  app: AppContext,
  resolved: ResolvedConfig,
  order: CustomImageSpec,
  force: boolean,
): Promise<BuildResult | 'exists' | 'outdated'> {
  const incus = await app.incus();
  const base = await baseImage(app, order.base, force);
  const hash = customHash(order, base);
  const old = await incus.imageAlias(order.alias, { signal: app.signal });
  const image = old && (await incus.image(old.target));
  if (old && !force) return image?.properties[imageKeys.recipe] === hash ? 'exists' : 'outdated';
  refuseForeign(app, order, image);
  const directory = mkdtempSync(`/var/tmp/coi-build-${ownPid()}-`);
  const progress = app.progress();
  let container: ContainerRef | undefined;
  try {
    const wanted = await buildSpec(app, resolved, base, directory);
    container = await launchPlain(app, wanted);
    progress.update({ kind: 'started', name: 'script', title: 'Running the build script' });
    await runBuildScript(app, incus, container.name, order);
    progress.update({ kind: 'started', name: 'publish', title: 'Publishing the image' });
    return await publishBuild(app, incus, container, order, { base, hash });
  } finally {
    progress.clear();
    if (container !== undefined) await killContainer(incus, container, AbortSignal.timeout(stopMs));
    await removeTreeAt(directory);
  }
}

/** Persistent, so that it does not count as an ended session when it is stopped to be published. */
async function buildSpec(
  app: AppContext,
  resolved: ResolvedConfig,
  fingerprint: string,
  directory: string,
) {
  const at = scratchWorkspace(checkWorkspace(app, directory));
  const made = makeSessionSpec(app, resolved, at, {
    session: newSessionId(),
    tool: noTool,
    slot: undefined,
    persistent: true,
    mounts: [],
    disposable: false,
    restartSettings: await restartSettings(app, resolved, at.workspace),
  });
  return { ...made, fingerprint, alias: undefined, docker: true };
}

async function runBuildScript(
  app: AppContext,
  incus: Incus,
  container: string,
  order: CustomImageSpec,
): Promise<void> {
  const script = Buffer.from(order.script);
  await incus.writeFile(container, scriptPath, script, { mode: 0o700, uid: 0, gid: 0 });
  for (const [name, command] of [
    ['build script', [scriptPath]],
    ['cleanup', ['sh', '-c', `rm -f ${scriptPath}\n${guestScript('custom-end.sh')}`]],
  ] as const) {
    const { status, path } = await runLogged(app, incus, container, order.alias, command);
    if (status === 0) continue;
    throw new CoiError('image-build-failed', `the ${name} ended with status ${status}`, {
      hint: `See its output in ${path}.`,
    });
  }
}

async function publishBuild(
  app: AppContext,
  incus: Incus,
  container: ContainerRef,
  order: CustomImageSpec,
  { base, hash }: { base: string; hash: string },
): Promise<BuildResult> {
  const { alias, base: baseName, compression, maker } = order;
  const { signal } = app;
  const stop = await changeState(incus, container, { action: 'stop', force: true }, { signal });
  await stop.wait({ timeoutMs: stopMs });
  const properties = {
    description: `${alias}, built by coi`,
    [imageKeys.recipe]: hash,
    [imageKeys.variant]: 'custom',
    [imageKeys.base]: base,
    [imageKeys.baseName]: baseName,
    [imageKeys.maker]: maker,
    [imageKeys.built]: app.clock.now().toISOString(),
  };
  const request = { instance: container.name, properties, ...(compression ? { compression } : {}) };
  const publication = await incus.publishImage(request, { signal });
  const { metadata } = await publication.wait({ signal, timeoutMs: publishMs });
  const fingerprint = String(metadata?.['fingerprint'] ?? '');
  const version = versionAlias(alias, app.clock.now());
  await refuseNowTaken(app, incus, order, fingerprint);
  await incus.setImageAlias(version, fingerprint, 'built by coi');
  await incus.setImageAlias(alias, fingerprint, 'built by coi');
  return { fingerprint, version };
}

/** Throws `config-invalid`. */
function refuseForeign(
  app: AppContext,
  { alias, maker, replaces }: CustomImageSpec,
  image: Image | undefined,
): void {
  if (!replaces) refuseReplacement(alias, image, maker, makerFacts(app));
}

/** Throws `config-invalid` if the name now belongs to another project. */
export async function refuseTaken(app: AppContext, order: CustomImageSpec): Promise<void> {
  const incus = await app.incus();
  const now = await incus.imageAlias(order.alias, { signal: app.signal });
  refuseForeign(app, order, now && (await incus.image(now.target)));
}

/** Another project may have taken the name during the build, which takes minutes. Leaves no image behind. */
async function refuseNowTaken(
  app: AppContext,
  incus: Incus,
  order: CustomImageSpec,
  fingerprint: string,
): Promise<void> {
  try {
    await refuseTaken(app, order);
  } catch (error) {
    await (await incus.deleteImage(fingerprint)).wait();
    throw error;
  }
}

export function makerFacts(app: AppContext): MakerFacts {
  return { home: app.user.home, realPath: realPathOf };
}

/** A path that cannot be accessed counts as existing: it may be another user's. */
function realPathOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : path;
  }
}
