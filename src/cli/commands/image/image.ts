// coi image: the images of the server.
import type { Command } from 'commander';
import { lookedUpConfig } from '../../../app/configuration.ts';
import { allImages, existing, found } from '../../../app/images/find.ts';
import { publish } from '../../../app/images/publish.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { listedImages } from '../../../image/listing.ts';
import { defaultImage } from '../../../image/versions.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { formatted, wantsJson } from '../../format-option.ts';
import { flagsOf } from '../../global-options.ts';
import {
  allImagesText,
  imageInfoText,
  imagesJson,
  knownImagesText,
  prefixedImagesText,
} from '../../ui/views/images.ts';
import { cleanup, remove } from './image-delete.ts';

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
        publish(app, flagsOf<GlobalOptions>(command), word, alias, options).then(app.io.printJson),
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
