// Mounts a directory of the host in a container.
import { dirname, resolve } from 'node:path';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { pathFacts } from '../../host/fs/path-facts.ts';
import { pathEnters } from '../../host/fs/read-named-file.ts';
import type { ContainerName } from '../../names.ts';
import { quoted } from '../../names.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import { updateContainer } from '../../session/record/change-instance.ts';
import { refOf } from '../../session/record/container-ref.ts';
import { writableSources } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import type { OwnerScope } from '../requests.ts';
import { refuseHungPaths } from '../resolve-workspace.ts';
import { refuseSecondView } from '../session-spec/overlapping-mounts.ts';
import { existingContainer } from '../targets/container-by-name.ts';

/** Returns the source's absolute path. Throws `usage`, `mount-invalid`. */
export async function mountInto(
  app: AppContext,
  scope: OwnerScope,
  word: string,
  { device, source, path, shifted, readonly }: ContainerMount,
): Promise<{ readonly name: ContainerName; readonly host: string }> {
  const host = resolve(app.cwd, source);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(device))
    throw new CoiError('usage', `invalid device name ${quoted(device)}`);
  if (!path.startsWith('/') || path === '/')
    throw new CoiError('usage', `the path in the container is not absolute: ${quoted(path)}`);
  refuseHungPaths([host], 'mount-invalid');
  if (pathFacts(host).kind === 'missing')
    throw new CoiError('mount-invalid', `the mount source ${host} does not exist`);
  const { name, instance, session } = await existingContainer(app, scope, word);
  if (session) refuseSecondView(session, host, readonly);
  if (instance.devices[device])
    throw new CoiError('mount-invalid', `container ${name} already has a device ${device}`);
  // Incus resolves the path as root, now and at every start.
  const live = writableSources(await (await app.incus()).instances({ signal: app.signal }));
  const isOwnName = hostFiles.realPath(host) === host;
  if (pathEnters(isOwnName ? dirname(host) : host, live))
    throw new CoiError(
      'mount-invalid',
      `a session can replace ${host} with a link to another directory`,
      { hint: `Mount it when the session starts: coi shell --mount ${host}:${path}` },
    );
  if (shifted && !readonly)
    app.report.warn(`root in ${name} can make files in ${host} that belong to root on this host`);
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
  return { name, host };
}

export interface ContainerMount {
  /** Name of the device in Incus. */
  readonly device: string;
  /** On the host; relative to the current directory. */
  readonly source: string;
  /** In the container. */
  readonly path: string;
  readonly shifted: boolean;
  readonly readonly: boolean;
}
