// Launches a plain container, without a session record.
import { CoiError } from '../../errors.ts';
import type { Devices } from '../../incus/shapes.ts';
import { keys } from '../../instance-keys.ts';
import type { ContainerName } from '../../names.ts';
import { parseContainerName, parseImageAlias, quoted } from '../../names.ts';
import { incusFailure, isMissing } from '../../session/lifecycle/incus-failure.ts';
import { imageMissing } from '../../session/lifecycle/launch.ts';
import { dockerConfig } from '../../session/plan/kernel-surface.ts';
import { imageSource, isRemoteImage } from '../../session/record/image-source.ts';
import type { AppContext } from '../context.ts';
import { baseImage } from '../images/base-image.ts';
import { serverFacts } from '../session-spec/server-facts.ts';

const startMs = 120_000;

/** Throws `failed` for a name that is taken, `image-missing`, and if a call fails. */
export async function launchContainer(
  app: AppContext,
  image: string,
  word: string,
  options: { readonly ephemeral?: boolean | undefined; readonly storage?: string | undefined },
): Promise<ContainerName> {
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
          [keys.owner]: String(app.user.uid),
          // Overrides the profile.
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
  return name;
}
