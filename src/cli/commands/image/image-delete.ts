// coi image delete and cleanup.
import { allImages, deleted, existing } from '../../../app/images/find.ts';
import { CoiError } from '../../../errors.ts';
import { listedImages, oldVersions } from '../../../image/listing.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';

export async function remove(app: App, alias: string, json: boolean): Promise<void> {
  const image = await existing(app, alias);
  await deleted(app, image.fingerprint);
  app.io.tell(`Deleted image ${alias}`);
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
    throw new CoiError('usage', `invalid --keep ${quoted(keep)}`, { hint: 'A number above 0.' });
  const { kept, doomed } = oldVersions(listedImages(await allImages(app), prefix), prefix, count);
  for (const { alias, fingerprint } of doomed) {
    await deleted(app, fingerprint);
    app.io.tell(`Deleted ${alias}`);
  }
  if (json) app.io.printJson({ deleted: doomed.map(({ alias }) => alias), kept });
  else app.io.print(`Deleted ${doomed.length} image(s)\nKept ${kept.length} image(s)`);
}
