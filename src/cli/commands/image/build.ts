// `coi build`: makes the image that sessions start from.
import { type Command, Option } from 'commander';
import { aliasOf, buildDefaultImage } from '../../../app/images/build-default.ts';
import {
  type BuildOutcome,
  buildCustomImage,
  buildImages,
  outcomeOf,
} from '../../../app/images/build-profile.ts';
import { defaultImage } from '../../../image/versions.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';

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
    .description('build an image on top of another with a script')
    .argument('<name>', 'alias of the image')
    .requiredOption('--script <path>', 'script that is run as root')
    .option('--base <image>', `image that it starts from (default: ${defaultImage})`)
    .option('-f, --force', 'build it even if it exists')
    .option('--json', 'print what was built as JSON')
    .action(async (name: string, { script, base, ...own }: CustomFlags) => {
      const flags = { ...flagsOf<BuildFlags>(command), ...own };
      const outcome = await buildCustomImage(app, { ...flags, name, script, base });
      sayBuilt(app, outcome, flags.json ?? false);
      if (flags.json) app.io.printJson({ images: [outcome] });
    });
  command
    .option('-f, --force', 'build it even if it exists')
    .option('--all', 'also the images of all profiles with a [container.build] section')
    .option('--json', 'print what was built as JSON')
    .addOption(new Option('--compression <algorithm>', 'of the built image').hideHelp())
    .addOption(new Option('--test-image', 'build the small image of the tests').hideHelp())
    .action((_flags: BuildFlags, self: Command) => build(app, self.optsWithGlobals<BuildFlags>()));
}

async function build(app: App, flags: BuildFlags): Promise<void> {
  const images: BuildOutcome[] = [];
  for await (const outcome of flags.testImage ? testImages(app, flags) : buildImages(app, flags)) {
    sayBuilt(app, outcome, flags.json ?? false);
    images.push(outcome);
  }
  if (flags.json) app.io.printJson({ images });
}

async function* testImages(app: App, flags: BuildFlags): AsyncGenerator<BuildOutcome> {
  yield outcomeOf(aliasOf('test'), await buildDefaultImage(app, 'test', flags));
}

function sayBuilt({ io }: App, built: BuildOutcome, json: boolean): void {
  const { image, outcome } = built;
  const say = json ? io.tell : io.print;
  if (outcome === 'built') {
    say(`Image '${image}' built successfully!`);
    say(`  Version:     ${built.version}\n  Fingerprint: ${built.fingerprint}`);
    return;
  }
  const how = outcome === 'outdated' ? ', made by another recipe' : '';
  say(`Image '${image}' already exists${how}. Use --force to rebuild it.`);
}
