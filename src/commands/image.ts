// coi image: the images of the server.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError, ExitStatus } from '../errors.ts';
import { type ListedImage, listedImages, oldVersions } from '../image/listing.ts';
import { defaultImage } from '../image/versions.ts';
import type { Image } from '../incus/shapes.ts';
import { parseImageAlias, quoted } from '../names.ts';
import { incusFailure, isMissing } from '../session/failure.ts';
import {
  allImagesText,
  imageInfoText,
  imagesJson,
  knownImagesText,
  prefixedImagesText,
} from '../ui/views/images.ts';
import type { GlobalOptions } from './command.ts';
import { lookedUpConfig } from './config.ts';
import { formatted, wantsJson } from './container.ts';
import { flagsOf } from './global.ts';
import { publish } from './image-publish.ts';

const publishMs = 15 * 60_000;

interface ListOptions {
  all?: boolean;
  prefix?: string;
  format?: 'text' | 'json' | 'table';
  json?: boolean;
}

export function register(command: Command, app: App): void {
  const sub = (name: string, about: string) => command.command(name).description(about);
  registerList(sub('list', 'list images'), app, () => flagsOf<GlobalOptions>(command));
  sub('publish', 'make an image of a container, which is stopped and deleted')
    .argument('<container>', 'name of the container')
    .argument('<alias>', 'alias of the image')
    .option('--description <text>', 'what the image is, for lists')
    .option('--compression <algorithm>', 'as Incus takes it, for example zstd or none')
    .option('--json', 'as it always is')
    .action(
      (word: string, alias: string, options: { description?: string; compression?: string }) =>
        publish(app, flagsOf<GlobalOptions>(command), word, alias, options),
    );
  sub('delete', 'delete an image')
    .argument('<alias>', 'alias of the image')
    .option('--json', 'print what was deleted as JSON')
    .action((alias: string, { json }: { json?: boolean }) => remove(app, alias, json ?? false));
  sub('exists', 'exit with 0 if there is such an image, else with 1')
    .argument('<alias>', 'alias of the image')
    .action(async (alias: string) => {
      if (!(await found(app, alias))) throw new ExitStatus(1);
    });
  formatted(sub('info', 'show one image'))
    .argument('<alias>', 'alias of the image')
    .action(async (alias: string, options: { format?: 'text' | 'json'; json?: boolean }) => {
      const image = await existing(app, alias);
      if (wantsJson(options)) return app.io.printJson(image);
      const [listed] = listedImages([image], '');
      if (listed) app.io.print(imageInfoText(listed).join('\n'));
    });
  sub('cleanup', 'delete the oldest versions (…-YYYYMMDD-HHMMSS) of a prefix')
    .argument('<prefix>', 'what the aliases of its versions begin with')
    .requiredOption('--keep <n>', 'how many of the newest stay')
    .option('--json', 'print what was deleted and kept as JSON')
    .action((prefix: string, { keep, json }: { keep: string; json?: boolean }) =>
      cleanup(app, prefix, keep, json ?? false),
    );
}

/** Also as `coi images`. */
export function registerList(command: Command, app: App, shared: () => GlobalOptions): void {
  command
    .option('-a, --all', 'all images of the server')
    .option('--prefix <prefix>', 'only those whose name begins so')
    .option('--format <format>', 'text or json', 'text')
    .option('--json', 'the same as --format json')
    .action((options: ListOptions) => list(app, { ...shared(), ...options }));
}

async function list(app: App, options: GlobalOptions & ListOptions): Promise<void> {
  const { prefix, format = 'text' } = options;
  if (!['text', 'json', 'table'].includes(format))
    throw new CoiError('usage', `invalid format ${quoted(format)}`, { hint: 'text or json.' });
  const images = listedImages(await allImages(app), prefix ?? '');
  if (options.json || format === 'json') return app.io.printJson(imagesJson(images));
  if (prefix !== undefined) return app.io.print(prefixedImagesText(images, prefix).join('\n'));
  const { settings } = await lookedUpConfig(app, options);
  const known = [...new Set([defaultImage, settings['container.image']])];
  const lines = knownImagesText(known, images);
  app.io.print([...lines, ...(options.all ? allImagesText(images) : [])].join('\n'));
}

async function remove(app: App, alias: string, json: boolean): Promise<void> {
  const image = await existing(app, alias);
  await deleted(app, image.fingerprint);
  app.io.tell(`Deleted image ${alias}`);
  if (json) app.io.printJson({ alias, fingerprint: image.fingerprint });
}

async function cleanup(app: App, prefix: string, keep: string, json: boolean): Promise<void> {
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

async function deleted(app: App, fingerprint: string): Promise<void> {
  try {
    const incus = await app.incus();
    const deletion = await incus.deleteImage(fingerprint, { signal: app.signal });
    await deletion.wait({ timeoutMs: publishMs });
  } catch (error) {
    if (!isMissing(error)) throw incusFailure(error, 'deleting the image failed');
  }
}

async function allImages(app: App): Promise<Image[]> {
  try {
    return await (await app.incus()).images({ signal: app.signal });
  } catch (error) {
    throw incusFailure(error, 'listing the images failed');
  }
}

/** By alias or by fingerprint. */
async function found(app: App, text: string): Promise<Image | undefined> {
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

async function existing(app: App, alias: string): Promise<Image> {
  const image = await found(app, alias);
  if (image) return image;
  throw new CoiError('image-missing', `image ${quoted(alias)} not found`, {
    hint: 'Run `coi image list --all` to see the images.',
  });
}
