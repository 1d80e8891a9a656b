// `coi schema`: JSON Schemas of the configuration files.
import type { Command } from 'commander';
import { configSchema, profileSchema } from '../../../config/schema.ts';
import type { App } from '../../app.ts';

export function register(command: Command, app: App): void {
  command
    .command('profile')
    .description("print the schema of a profile's config.toml")
    .action(() => app.io.printJson(profileSchema()));
  command
    .command('config')
    .description('print the schema of configuration files')
    .action(() => app.io.printJson(configSchema()));
}
