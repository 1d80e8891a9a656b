// coi profile: the profiles that there are, and what one of them comes to.
import type { Command } from 'commander';
import { Option } from 'commander';
import { stringify } from 'smol-toml';
import type { App } from '../app.ts';
import { type KeyName, keyNames } from '../config/keys.ts';
import { builtInProfiles } from '../config/profile.ts';
import { profileNames, profileSource } from '../config/profile-files.ts';
import { nested } from '../config/schema.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { oneLine } from '../ui/printable.ts';
import { table } from '../ui/table.ts';
import type { GlobalOptions } from './command.ts';
import { lookedUpConfig, placesOf, shownValue } from './config.ts';
import { flagsOf } from './global.ts';
import {
  type CreateOptions,
  createProfile,
  type DeleteOptions,
  deleteProfile,
  editProfile,
} from './profile-change.ts';
import { leftOut } from './waiting.ts';

interface ListOptions {
  readonly format: 'text' | 'json';
  readonly json?: boolean;
}

interface InfoOptions {
  readonly json?: boolean;
  readonly showSecrets?: boolean;
}

interface ProfileRow {
  readonly name: string;
  readonly image: string;
  readonly persistent: boolean;
  readonly storage_pool?: string;
  readonly inherits?: string;
  readonly source?: string;
}

export function register(command: Command, app: App): void {
  command
    .command('list')
    .description('list the profiles')
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'the same as --format json')
    .action((options: ListOptions) =>
      list(app, { ...flagsOf<GlobalOptions>(command), ...options }),
    );
  command
    .command('info')
    .alias('show')
    .description('print what a profile comes to, with all that it inherits')
    .argument('<name>', 'a profile')
    .option('--show-secrets', 'print the values of variables, too')
    .option('--json', 'print JSON instead of TOML')
    .action((name: string, options: InfoOptions) =>
      info(app, { ...flagsOf<GlobalOptions>(command), ...options }, name),
    );
  command
    .command('create')
    .description('make a profile, or with the name default a configuration to begin with')
    .argument('<name>', 'name of the profile, or default')
    .option('--inherits <profile>', 'the profile that it is based on')
    .option('--user', 'in ~/.coi')
    .option('--project', 'in the .coi of the workspace')
    .option('--json', 'print where it is as JSON')
    .action((name: string, options: CreateOptions) =>
      createProfile(app, flagsOf<GlobalOptions>(command), name, options),
    );
  command
    .command('edit')
    .description('open it in $VISUAL, $EDITOR or vi, and check it afterwards')
    .argument('<name>', 'name of the profile')
    .action((name: string) => editProfile(app, flagsOf<GlobalOptions>(command), name));
  command
    .command('delete')
    .description('delete it')
    .argument('<name>', 'name of the profile')
    .option('-f, --force', 'do not ask')
    .option('--json', 'print what was deleted as JSON')
    .action((name: string, options: DeleteOptions) =>
      deleteProfile(app, flagsOf<GlobalOptions>(command), name, options),
    );
}

async function list(app: App, options: GlobalOptions & ListOptions): Promise<void> {
  const places = placesOf(app, options);
  const onDisk = profileNames(places, hostFiles).map(({ name }) => name);
  const names = [...new Set([...Object.keys(builtInProfiles), ...onDisk])].sort();
  const rows: ProfileRow[] = [];
  for (const name of names) {
    try {
      rows.push(await row(app, options, name));
    } catch (error) {
      // One that is broken does not hide the others.
      if (!(error instanceof CoiError) || error.code !== 'config-invalid') throw error;
      app.io.warn(leftOut(name, error));
    }
  }
  if (options.json || options.format === 'json') return app.io.printJson(rows);
  const cells = rows.map((one) => [
    one.name,
    one.image,
    String(one.persistent),
    one.inherits ?? '',
    one.source ?? '(built-in)',
  ]);
  app.io.print(table(['NAME', 'IMAGE', 'PERSISTENT', 'INHERITS', 'SOURCE'], cells).join('\n'));
}

async function row(app: App, options: GlobalOptions, name: string): Promise<ProfileRow> {
  const { settings } = await lookedUpConfig(app, { ...options, profile: name });
  const source = profileSource(name, placesOf(app, options), hostFiles);
  const pool = settings['container.storage_pool'];
  return {
    name,
    image: settings['container.image'],
    persistent: settings['container.persistent'] ?? false,
    ...(pool !== undefined && { storage_pool: pool }),
    ...(source?.inherits !== undefined && { inherits: source.inherits }),
    ...(source && { source: source.path }),
  };
}

async function info(app: App, options: GlobalOptions & InfoOptions, name: string): Promise<void> {
  const { settings, origins, warnings } = await lookedUpConfig(app, { ...options, profile: name });
  // `default` stands for what is in force without any profile.
  const chosen = keyNames.filter((key) =>
    name === 'default'
      ? settings[key] !== undefined
      : origins[key].some(({ kind }) => kind === 'profile'),
  );
  const value = shownValue(options.showSecrets ?? false);
  const values = Object.fromEntries(chosen.map((key: KeyName) => [key, value(key, settings[key])]));
  const source = profileSource(name, placesOf(app, options), hostFiles);
  const inherits = source?.inherits;
  if (options.json)
    app.io.printJson({
      ...(inherits === undefined ? {} : { inherits }),
      ...(source === undefined ? {} : { source: source.path }),
      ...nested(values),
    });
  else {
    const head = [
      `# profile ${name}`,
      ...(inherits === undefined ? [] : [`# inherits ${oneLine(inherits)}`]),
      `# source ${oneLine(source?.path ?? '(built-in)')}`,
    ];
    app.io.print(`${head.join('\n')}\n${stringify(nested(values))}`.trimEnd());
  }
  for (const warning of warnings) app.io.warn(warning);
}
