// `coi profile`: lists, shows, creates, edits and deletes profiles.
import type { Command } from 'commander';
import { Option } from 'commander';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
import { type CreateOptions, createProfile } from './profile-create.ts';
import { type DeleteOptions, deleteProfile, editProfile } from './profile-edit.ts';
import { type InfoOptions, info } from './profile-info.ts';
import { type ListOptions, list } from './profile-list.ts';

export function register(command: Command, app: App): void {
  command
    .command('list')
    .description('list the profiles')
    .addOption(
      new Option('--format <format>', 'output format').choices(['text', 'json']).default('text'),
    )
    .option('--json', 'same as --format json')
    .action((options: ListOptions) =>
      list(app, { ...mergedOptions<GlobalOptions>(command), ...options }),
    );
  command
    .command('info')
    .alias('show')
    .description('print the values of a profile, including inherited ones')
    .argument('<name>', 'name of the profile')
    .option('--show-secrets', 'also print the values of environment variables')
    .option('--json', 'print JSON instead of TOML')
    .action((name: string, options: InfoOptions) =>
      info(app, { ...mergedOptions<GlobalOptions>(command), ...options }, name),
    );
  command
    .command('create')
    .description('create a profile; with the name default, create a starter configuration')
    .argument('<name>', 'name of the profile, or default')
    .option('--inherits <profile>', 'parent profile')
    .option('--user', 'create it in ~/.coi')
    .option('--project', 'create it in the .coi of the workspace')
    .option('--json', 'print the result as JSON')
    .action((name: string, options: CreateOptions) =>
      createProfile(app, mergedOptions<GlobalOptions>(command), name, options),
    );
  command
    .command('edit')
    .description('open a profile in $VISUAL, $EDITOR or vi, then validate it')
    .argument('<name>', 'name of the profile')
    .action((name: string) => editProfile(app, mergedOptions<GlobalOptions>(command), name));
  command
    .command('delete')
    .description('delete a profile')
    .argument('<name>', 'name of the profile')
    .option('-f, --force', 'skip the confirmation prompt')
    .option('--json', 'print the result as JSON')
    .action((name: string, options: DeleteOptions) =>
      deleteProfile(app, mergedOptions<GlobalOptions>(command), name, options),
    );
}
