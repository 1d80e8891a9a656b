// `coi build`: builds the image that sessions start from.
import { type Command, Option } from 'commander';
import { buildDefaultImage, variantAlias } from '../../../app/images/build-default.ts';
import {
  type BuildOutcome,
  buildCustomImage,
  buildImages,
  buildOutcome,
} from '../../../app/images/build-profile.ts';
import { defaultImage } from '../../../image/versions.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';

interface BuildFlags extends GlobalOptions {
  force?: boolean;
  all?: boolean;
  compression?: string;
  testImage?: boolean;
  json?: boolean;
}

interface CustomFlags {
  force?: boolean;
  json?: boolean;
  script: string;
  base?: string;
}

export function register(command: Command, app: App): void {
  command
    .command('custom')
    .description('build an image from another one with a script')
    .argument('<name>', 'alias of the image')
    .requiredOption('--script <path>', 'script to run as root')
    .option('--base <image>', `base image (default: ${defaultImage})`)
    .option('-f, --force', 'rebuild it even if it exists')
    .option('--json', 'print the result as JSON')
    .action(async (name: string, { script, base, ...own }: CustomFlags) => {
      const flags = { ...mergedOptions<BuildFlags>(command), ...own };
      const outcome = await buildCustomImage(app, { ...flags, name, script, base });
      printBuilt(app, outcome, flags.json ?? false);
      if (flags.json) app.io.printJson({ images: [outcome] });
    });
  command
    .option('-f, --force', 'rebuild it even if it exists')
    .option('--all', 'also build the images of all profiles with a [container.build] section')
    .option('--json', 'print the result as JSON')
    .addOption(
      new Option(
        '--compression <algorithm>',
        'compression algorithm of the built image',
      ).hideHelp(),
    )
    .addOption(new Option('--test-image', 'build the small image of the tests').hideHelp())
    .action((_flags: BuildFlags, self: Command) => build(app, self.optsWithGlobals<BuildFlags>()));
}

async function build(app: App, flags: BuildFlags): Promise<void> {
  const images: BuildOutcome[] = [];
  for await (const outcome of flags.testImage ? testImages(app, flags) : buildImages(app, flags)) {
    printBuilt(app, outcome, flags.json ?? false);
    images.push(outcome);
  }
  if (flags.json) app.io.printJson({ images });
}

async function* testImages(app: App, flags: BuildFlags): AsyncGenerator<BuildOutcome> {
  yield buildOutcome(variantAlias('test'), await buildDefaultImage(app, 'test', flags));
}

function printBuilt({ io }: App, built: BuildOutcome, json: boolean): void {
  const { image, outcome } = built;
  const print = json ? io.info : io.print;
  if (outcome === 'built') {
    print(`Image '${image}' built successfully!`);
    print(`  Version:     ${built.version}\n  Fingerprint: ${built.fingerprint}`);
    return;
  }
  const how = outcome === 'outdated' ? ', built from a different recipe' : '';
  print(`Image '${image}' already exists${how}. Use --force to rebuild it.`);
}
