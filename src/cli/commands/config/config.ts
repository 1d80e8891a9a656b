// coi config: what is in force and where it comes from, and the schema of the files.
import type { Command } from 'commander';
import { lookedUpConfig } from '../../../app/configuration.ts';
import { type KeyName, keyNames } from '../../../config/keys/table.ts';
import { masked } from '../../../config/masked.ts';
import { originText } from '../../../config/origin.ts';
import type { ResolvedConfig } from '../../../config/resolved-config.ts';
import { configSchema, fileValue } from '../../../config/schema.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { flagsOf } from '../../global-options.ts';
import { configJson, configText } from '../../ui/views/config.ts';

interface ShowOptions {
  readonly json?: boolean;
  readonly changed?: boolean;
  readonly showSecrets?: boolean;
  readonly workspace?: string;
  readonly profile?: string;
}

export function register(command: Command, app: App): void {
  command
    .command('show')
    .description('print every value that is in force, and where it comes from')
    .argument('[key]', 'only that key, or the keys of that section')
    .option('-w, --workspace <path>', 'for that directory (default: the current one)')
    .option('--profile <name>', 'with that profile')
    .option('--changed', 'only what is no default')
    .option('--show-secrets', 'print the values of variables, too')
    .option('--json', 'print JSON')
    .action((key: string | undefined, options: ShowOptions) =>
      show(app, { ...flagsOf<GlobalOptions>(command), ...options }, key),
    );
  command
    .command('schema')
    .description('print the JSON Schema of configuration files')
    .action(() => app.io.printJson(configSchema()));
}

/** How commands that show the configuration say a value. */
export function shownValue(secrets: boolean): (name: KeyName, value: unknown) => unknown {
  return (name, value) => fileValue(name, secrets ? value : masked(name, value));
}

async function show(
  app: App,
  options: GlobalOptions & ShowOptions,
  key: string | undefined,
): Promise<void> {
  const resolved = await lookedUpConfig(app, options);
  const chosen = keyNames.filter(
    (name) =>
      (key === undefined || name === key || name.startsWith(`${key}.`)) &&
      (!options.changed || isChanged(resolved, name)),
  );
  if (key !== undefined && !keyNames.some((name) => name === key || name.startsWith(`${key}.`))) {
    throw new CoiError('usage', `there is no key ${quoted(key)}`, {
      hint: '`coi config show` lists them all.',
    });
  }
  const words = { value: shownValue(options.showSecrets ?? false), origin: originText };
  if (options.json) app.io.printJson(configJson(resolved, chosen, words));
  else if (chosen.length > 0)
    app.io.print(configText(resolved, chosen, app.io.style, words).join('\n'));
  else app.io.tell('Everything has its default.');
  for (const warning of resolved.warnings) app.io.warn(warning);
}

function isChanged({ origins }: ResolvedConfig, name: KeyName): boolean {
  return origins[name].some(({ kind }) => kind !== 'default');
}
