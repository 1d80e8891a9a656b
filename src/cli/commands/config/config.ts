// `coi config`: the effective configuration with its origins, and the schema of the files.
import type { Command } from 'commander';
import { readConfig } from '../../../app/configuration.ts';
import { type KeyName, keyNames } from '../../../config/keys/table.ts';
import { maskValue } from '../../../config/mask-value.ts';
import { originText } from '../../../config/origin.ts';
import type { ResolvedConfig } from '../../../config/resolved-config.ts';
import { configSchema, fileValue } from '../../../config/schema.ts';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { mergedOptions } from '../../global-options.ts';
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
    .description('print the effective configuration and where each value comes from')
    .argument('[key]', 'key or section to show (default: all)')
    .option('-w, --workspace <path>', 'workspace directory (default: the current one)')
    .option('--profile <name>', 'profile to apply')
    .option('--changed', 'leave out default values')
    .option('--show-secrets', 'also print the values of environment variables')
    .option('--json', 'print JSON')
    .action((key: string | undefined, options: ShowOptions) =>
      show(app, { ...mergedOptions<GlobalOptions>(command), ...options }, key),
    );
  command
    .command('schema')
    .description('print the JSON Schema of configuration files')
    .action(() => app.io.printJson(configSchema()));
}

/** Converts a value for display; secrets are masked unless `secrets`. */
export function displayValue(secrets: boolean): (name: KeyName, value: unknown) => unknown {
  return (name, value) => fileValue(name, secrets ? value : maskValue(name, value));
}

async function show(
  app: App,
  options: GlobalOptions & ShowOptions,
  key: string | undefined,
): Promise<void> {
  const resolved = await readConfig(app, options);
  const chosen = keyNames.filter(
    (name) =>
      (key === undefined || name === key || name.startsWith(`${key}.`)) &&
      (!options.changed || isChanged(resolved, name)),
  );
  if (key !== undefined && !keyNames.some((name) => name === key || name.startsWith(`${key}.`))) {
    throw new CoiError('usage', `unknown key ${quoted(key)}`, {
      hint: 'Run `coi config show` to list all keys.',
    });
  }
  const words = { value: displayValue(options.showSecrets ?? false), origin: originText };
  if (options.json) app.io.printJson(configJson(resolved, chosen, words));
  else if (chosen.length > 0)
    app.io.print(configText(resolved, chosen, app.io.stdoutStyle, words).join('\n'));
  else app.io.info('All values are defaults.');
  for (const warning of resolved.warnings) app.io.warn(warning);
}

function isChanged({ origins }: ResolvedConfig, name: KeyName): boolean {
  return origins[name].some(({ kind }) => kind !== 'default');
}
