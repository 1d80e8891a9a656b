// `[container] stale_base_check`: reports an image that was built on an older version of its base.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { describeStaleBase } from '../../image/custom.ts';
import { defaultImage } from '../../image/versions.ts';
import { imageKeys } from '../../instance-keys.ts';
import { incusFailure } from '../../session/lifecycle/incus-failure.ts';
import type { AppContext } from '../context.ts';

/** Warns, or throws `image-missing` if the configuration makes this an error. */
export async function checkStaleBase(app: AppContext, { settings }: ResolvedConfig): Promise<void> {
  const { 'container.image': alias, 'container.stale_base_check': check } = settings;
  if (check === 'off' || alias === defaultImage) return;
  const problem = await staleReason(app, alias);
  if (problem === undefined) return;
  const message = `image '${alias}' is stale: ${problem}`;
  const hint = 'Rebuild it: run `coi build --force` with its profile.';
  if (check === 'error') throw new CoiError('image-missing', message, { hint });
  app.report.warn(`${message}. ${hint}`);
}

async function staleReason(app: AppContext, alias: string): Promise<string | undefined> {
  const { signal } = app;
  try {
    const incus = await app.incus();
    const entry = await incus.imageAlias(alias, { signal });
    const image = entry && (await incus.image(entry.target, { signal }));
    const base = image?.properties[imageKeys.baseName];
    if (!image || base === undefined) return undefined;
    const target = (await incus.imageAlias(base, { signal }))?.target;
    return describeStaleBase(image, () => target);
  } catch (error) {
    throw incusFailure(error, 'querying the image failed');
  }
}
