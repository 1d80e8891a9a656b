// coi profile: the profiles that there are, and what one of them comes to.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { type CreateOptions, createProfile } from './profile-create.ts';
import { type DeleteOptions, deleteProfile, editProfile } from './profile-edit.ts';
import { type InfoOptions, info } from './profile-info.ts';
import { type ListOptions, list } from './profile-list.ts';

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
