// Finds images of the server by name or fingerprint.
import { CoiError } from '../../errors.ts';
import type { ListedImage } from '../../image/image-list.ts';
import type { Image } from '../../incus/shapes.ts';
import { parseImageAlias, quoted } from '../../names.ts';
import { incusFailure, isMissing } from '../../session/lifecycle/incus-failure.ts';
import type { AppContext } from '../context.ts';

const deleteMs = 15 * 60_000;

export async function allImages(app: AppContext): Promise<Image[]> {
  try {
    return await (await app.incus()).images({ signal: app.signal });
  } catch (error) {
    throw incusFailure(error, 'listing the images failed');
  }
}

/** By alias or by fingerprint. */
export async function findImage(app: AppContext, text: string): Promise<Image | undefined> {
  const alias = parseImageAlias(text);
  try {
    const incus = await app.incus();
    const entry: ListedImage['fingerprint'] | undefined = (
      await incus.imageAlias(alias, { signal: app.signal })
    )?.target;
    const isFingerprint = /^[0-9a-f]{12,64}$/.test(text);
    if (entry === undefined && !isFingerprint) return undefined;
    return await incus.image(entry ?? text, { signal: app.signal });
  } catch (error) {
    throw incusFailure(error, 'looking for the image failed');
  }
}

export async function existingImage(app: AppContext, alias: string): Promise<Image> {
  const image = await findImage(app, alias);
  if (image) return image;
  throw new CoiError('image-missing', `image ${quoted(alias)} not found`, {
    hint: 'Run `coi image list --all` to see the images.',
  });
}

export async function deleteImage(app: AppContext, fingerprint: string): Promise<void> {
  try {
    const incus = await app.incus();
    const deletion = await incus.deleteImage(fingerprint, { signal: app.signal });
    await deletion.wait({ timeoutMs: deleteMs });
  } catch (error) {
    if (!isMissing(error)) throw incusFailure(error, 'deleting the image failed');
  }
}
