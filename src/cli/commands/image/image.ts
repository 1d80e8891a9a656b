// `coi image`: the images of the Incus server.
import type { Command } from 'commander';
import { readConfig } from '../../../app/configuration.ts';
import { allImages, existingImage, findImage } from '../../../app/images/find.ts';
import { publish } from '../../../app/images/publish.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { listImages } from '../../../image/image-list.ts';
import { defaultImage } from '../../../image/versions.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { addFormatOptions, wantsJson } from '../../format-option.ts';
import { mergedOptions } from '../../global-options.ts';
import {
  allImagesText,
  coiImagesText,
  imageInfoText,
  imagesJson,
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
  registerList(sub('list', 'list images'), app, () => mergedOptions<GlobalOptions>(command));
  sub('publish', 'publish a container as an image (stops and deletes the container)')
    .argument('<container>', 'name of the container')
    .argument('<alias>', 'alias of the image')
    .option('--description <text>', 'description of the image')
    .option('--compression <algorithm>', 'compression algorithm, for example zstd or none')
    .option('--json', 'no effect: the output is always JSON')
    .action(
      (word: string, alias: string, options: { description?: string; compression?: string }) =>
        publish(app, mergedOptions<GlobalOptions>(command), word, alias, options).then(
          app.io.printJson,
        ),
    );
  sub('delete', 'delete an image')
    .argument('<alias>', 'alias of the image')
    .option('--json', 'print the result as JSON')
    .action((alias: string, { json }: { json?: boolean }) => remove(app, alias, json ?? false));
  sub('exists', 'exit with 0 if the image exists, else with 1')
    .argument('<alias>', 'alias of the image')
    .action(async (alias: string) => {
      if (!(await findImage(app, alias))) throw new ExitStatus(1);
    });
  addFormatOptions(sub('info', 'show one image'))
    .argument('<alias>', 'alias of the image')
    .action(async (alias: string, options: { format?: 'text' | 'json'; json?: boolean }) => {
      const image = await existingImage(app, alias);
      if (wantsJson(options)) return app.io.printJson(image);
      const [listed] = listImages([image], '');
      if (listed) app.io.print(imageInfoText(listed).join('\n'));
    });
  sub('cleanup', 'delete old versions (PREFIX-YYYYMMDD-HHMMSS) of an image')
    .argument('<prefix>', 'prefix of the aliases of its versions')
    .requiredOption('--keep <n>', 'number of the newest versions to keep')
    .option('--json', 'print the result as JSON')
    .action((prefix: string, { keep, json }: { keep: string; json?: boolean }) =>
      cleanup(app, prefix, keep, json ?? false),
    );
}

/** Also as `coi images`. */
export function registerList(command: Command, app: App, shared: () => GlobalOptions): void {
  command
    .option('-a, --all', 'list all images of the server')
    .option('--prefix <prefix>', 'only images whose name starts with the prefix')
    .option('--format <format>', 'output format: text or json', 'text')
    .option('--json', 'same as --format json')
    .action((options: ListOptions) => list(app, { ...shared(), ...options }));
}

async function list(app: App, options: GlobalOptions & ListOptions): Promise<void> {
  const { prefix, format = 'text' } = options;
  if (!['text', 'json', 'table'].includes(format))
    throw new CoiError('usage', `invalid format ${quoted(format)}`, { hint: 'Use text or json.' });
  const images = listImages(await allImages(app), prefix ?? '');
  if (options.json || format === 'json') return app.io.printJson(imagesJson(images));
  if (prefix !== undefined) return app.io.print(prefixedImagesText(images, prefix).join('\n'));
  const { settings } = await readConfig(app, options);
  const known = [...new Set([defaultImage, settings['container.image']])];
  const lines = coiImagesText(known, images);
  app.io.print([...lines, ...(options.all ? allImagesText(images) : [])].join('\n'));
}
