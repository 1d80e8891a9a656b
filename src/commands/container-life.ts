// The verbs of `coi container` that make, start, stop, change and delete one.
import { randomUUID } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { pathFacts } from '../host/facts.ts';
import { hostFiles } from '../host/files.ts';
import { leadsThrough } from '../host/read-within.ts';
import { isRemoteImage } from '../image/custom.ts';
import type { Devices } from '../incus/shapes.ts';
import { parseContainerName, parseImageAlias, quoted } from '../names.ts';
import { changeState, findMeant, updateContainer } from '../session/act.ts';
import { ownerKey } from '../session/adopted.ts';
import { type ContainerRef, refOf } from '../session/container-ref.ts';
import { incusFailure, isMissing } from '../session/failure.ts';
import { imageSource } from '../session/image-source.ts';
import { dockerConfig } from '../session/kernel-surface.ts';
import { imageMissing } from '../session/launch.ts';
import { writableSources } from '../session/record.ts';
import { recursiveNow } from '../session/refresh.ts';
import { deleteStopped, killContainer } from '../session/remove.ts';
import { refuseHeld } from './answering.ts';
import { existingContainer } from './any-container.ts';
import { baseImage } from './base-image.ts';
import type { GlobalOptions } from './command.ts';
import { freeing } from './freeing.ts';
import { serverFacts } from './prepare.ts';
import { refuseSecondView } from './second-view.ts';

const startMs = 120_000;
/** A guest that does not shut down by then has to be stopped by force, which is the caller's to say. */
const stopSeconds = 60;

export interface LaunchOptions {
  ephemeral?: boolean;
  storage?: string;
  json?: boolean;
}

export interface LifeOptions {
  force?: boolean;
  json?: boolean;
}

export interface MountOptions {
  shift?: string | true;
  readonly?: boolean;
  json?: boolean;
}

/** Says what became of a container; the JSON has the status that it then had. */
function became(
  { io }: App,
  json: boolean | undefined,
  name: string,
  status: 'Running' | 'Stopped' | 'Deleted',
  text: string,
): void {
  io.tell(text);
  if (json) io.printJson({ name, status });
}

export async function launch(
  app: App,
  image: string,
  word: string,
  options: LaunchOptions,
): Promise<void> {
  const [alias, name] = [parseImageAlias(image), parseContainerName(word)];
  const incus = await app.incus();
  const fingerprint = isRemoteImage(alias) ? await baseImage(app, alias, false) : undefined;
  const { defaultProfile, pools } = await serverFacts(
    app,
    fingerprint === undefined ? alias : undefined,
    options.storage,
  );
  if (defaultProfile?.config['security.privileged'] === 'true')
    throw new CoiError('failed', 'the Incus profile "default" makes containers privileged', {
      hint: 'Run: incus profile unset default security.privileged',
    });
  const pool = options.storage ?? pools?.[0]?.name;
  if (options.storage !== undefined && !pools?.some((one) => one.name === options.storage))
    throw new CoiError('usage', `storage pool ${quoted(options.storage)} does not exist`, {
      hint: `Available pools: ${pools?.map((one) => one.name).join(', ')}.`,
    });
  const root: Devices = pool === undefined ? {} : { root: { type: 'disk', path: '/', pool } };
  try {
    if (await incus.instance(name, { signal: app.signal }))
      throw new CoiError('failed', `container ${name} already exists`, {
        hint: 'Choose another name, or delete it: `coi container delete`.',
      });
    const creation = await incus.createInstance(
      {
        name,
        type: 'container',
        start: true,
        ephemeral: options.ephemeral ?? false,
        profiles: defaultProfile ? ['default'] : [],
        source: imageSource({ image: alias, fingerprint }),
        config: {
          ...dockerConfig(true),
          'security.guestapi': 'false',
          'boot.autostart': 'false',
          [ownerKey]: String(app.user.uid),
          // Whatever the profile says.
          'security.privileged': 'false',
        },
        devices: root,
      },
      { signal: app.signal },
    );
    await creation.wait({ timeoutMs: startMs });
  } catch (error) {
    if (isMissing(error)) throw imageMissing(image);
    throw incusFailure(error, `launching ${name} failed`);
  }
  became(app, options.json, name, 'Running', `Launched container ${name} from image ${image}`);
}

/** The mounts of a session are made first: they are gone after a reboot of the host. */
export async function start(
  app: App,
  options: GlobalOptions,
  word: string,
  json?: boolean,
): Promise<void> {
  const { name, session, status, instance } = await existingContainer(app, options, word);
  const running = (text: string) => became(app, json, name, 'Running', text);
  if (status === 'Running') return running(`Container ${name} is running already`);
  try {
    if (session) {
      const { id } = session.mounts;
      const start = { id, startId: randomUUID() };
      const made = await (await app.coid()).remount(name, start, { signal: app.signal });
      const devices = recursiveNow(instance.devices, made);
      if (Object.keys(devices).length > 0)
        await updateContainer(
          await app.incus(),
          refOf(instance),
          { devices },
          { signal: app.signal },
        );
    }
    const change = { action: 'start', timeout: stopSeconds } as const;
    const incus = await app.incus();
    const starting = await changeState(incus, refOf(instance), change, { signal: app.signal });
    await starting.wait({ signal: app.signal, timeoutMs: startMs });
  } catch (error) {
    throw incusFailure(error, `starting ${name} failed`);
  }
  running(`Started container ${name}`);
}

export async function stop(
  app: App,
  options: GlobalOptions,
  word: string,
  force: boolean,
  json?: boolean,
): Promise<void> {
  const { name, status, instance } = await existingContainer(app, options, word);
  if (status === 'Stopped')
    return became(app, json, name, 'Stopped', `Container ${name} is stopped already`);
  await stopMeant(app, refOf(instance), force);
  const then = instance.ephemeral ? 'Deleted' : 'Stopped';
  became(app, json, name, then, `Stopped container ${name}`);
}

/** Throws what a failed stop means, unless that container is stopped or gone then. */
export async function stopMeant(app: App, ref: ContainerRef, force: boolean): Promise<void> {
  const incus = await app.incus();
  try {
    const change = { action: 'stop', timeout: stopSeconds, force } as const;
    const stopping = await changeState(incus, ref, change, { signal: app.signal });
    await stopping.wait({ signal: app.signal, timeoutMs: startMs });
  } catch (error) {
    const after = await findMeant(incus, ref);
    // An ephemeral one is gone, and one that stopped meanwhile is what was asked for.
    if (after && after.instance.status !== 'Stopped')
      throw force
        ? incusFailure(error, `stopping ${ref.name} failed`)
        : notStopped(ref.name, error);
  }
}

function notStopped(name: string, cause: unknown): unknown {
  const failure = incusFailure(cause, `stopping ${name} failed`);
  if (!(failure instanceof CoiError) || failure.code !== 'incus-failed') return failure;
  return new CoiError('incus-failed', failure.message, { hint: 'Add --force.', cause });
}

export async function deleteContainer(
  app: App,
  options: GlobalOptions,
  word: string,
  force: boolean,
  json?: boolean,
): Promise<void> {
  const { name, status, instance } = await existingContainer(app, options, word);
  const incus = await app.incus();
  const ended =
    status !== 'Stopped' && !force
      ? 'runs'
      : await (force ? killContainer : deleteStopped)(
          incus,
          refOf(instance),
          app.signal,
          freeing(app),
        );
  if (ended === 'runs')
    throw new CoiError(
      'failed',
      `container ${name} is not stopped${status === 'Stopped' ? ' any more' : ` (${status})`}`,
      { hint: 'Stop it first, or add --force.' },
    );
  became(app, json, name, 'Deleted', `Deleted container ${name}`);
}

export async function mount(
  app: App,
  options: GlobalOptions,
  word: string,
  { device, source, path }: { device: string; source: string; path: string },
  { shift = 'true', readonly = false, json = false }: MountOptions,
): Promise<void> {
  const host = resolve(app.cwd, source);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(device))
    throw new CoiError('usage', `invalid device name ${quoted(device)}`);
  if (!path.startsWith('/') || path === '/')
    throw new CoiError('usage', `the path in the container is not absolute: ${quoted(path)}`);
  if (shift !== true && shift !== 'true' && shift !== 'false')
    throw new CoiError('usage', `invalid --shift ${quoted(shift)}`, { hint: 'true or false.' });
  refuseHeld([host], 'mount-invalid');
  if (pathFacts(host).kind === 'missing')
    throw new CoiError('mount-invalid', `the mount source ${host} does not exist`);
  const { name, instance, session } = await existingContainer(app, options, word);
  if (session) refuseSecondView(session, host, readonly);
  if (instance.devices[device])
    throw new CoiError('mount-invalid', `container ${name} has a device ${device} already`);
  // Incus looks the name up as root, now and at every start.
  const live = writableSources(await (await app.incus()).instances({ signal: app.signal }));
  const isOwnName = hostFiles.realPath(host) === host;
  if (leadsThrough(isOwnName ? dirname(host) : host, live))
    throw new CoiError(
      'mount-invalid',
      `${host} lies where a session can put a link to another directory in its place`,
      { hint: `Give it to a session when it starts: coi shell --mount ${host}:${path}` },
    );
  const shifted = shift !== 'false';
  if (shifted && !readonly)
    app.io.warn(`root in ${name} can make files in ${host} that belong to root on this host`);
  try {
    await updateContainer(
      await app.incus(),
      refOf(instance),
      {
        devices: {
          [device]: {
            type: 'disk',
            source: host,
            path,
            ...(shifted ? { shift: 'true' } : {}),
            ...(readonly ? { readonly: 'true' } : {}),
          },
        },
      },
      { signal: app.signal },
    );
  } catch (error) {
    throw incusFailure(error, `mounting into ${name} failed`);
  }
  app.io.tell(`Mounted ${host} at ${path} in ${name}`);
  if (json) app.io.printJson({ name, device, source: host, path, readonly });
}
