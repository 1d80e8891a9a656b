// `coi image delete` and `coi image cleanup`.
import { allImages, deleteImage, existingImage } from '../../../app/images/find.ts';
import { CoiError } from '../../../errors.ts';
import { listImages, splitVersions } from '../../../image/image-list.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';

export async function remove(app: App, alias: string, json: boolean): Promise<void> {
  const image = await existingImage(app, alias);
  await deleteImage(app, image.fingerprint);
  app.io.info(`Deleted image ${alias}`);
  if (json) app.io.printJson({ alias, fingerprint: image.fingerprint });
}

export async function cleanup(
  app: App,
  prefix: string,
  keep: string,
  json: boolean,
): Promise<void> {
  const count = Number(keep);
  if (!/^\d{1,6}$/.test(keep) || count < 1)
    throw new CoiError('usage', `invalid --keep ${quoted(keep)}`, {
      hint: 'Use a number above 0.',
    });
  const { kept, obsolete } = splitVersions(listImages(await allImages(app), prefix), prefix, count);
  for (const { alias, fingerprint } of obsolete) {
    await deleteImage(app, fingerprint);
    app.io.info(`Deleted ${alias}`);
  }
  if (json) app.io.printJson({ deleted: obsolete.map(({ alias }) => alias), kept });
  else app.io.print(`Deleted ${obsolete.length} image(s)\nKept ${kept.length} image(s)`);
}
