// `coi profile info`.
import { stringify } from 'smol-toml';
import { configPathsFor, readConfig } from '../../../app/configuration.ts';
import type { KeyName } from '../../../config/keys/table.ts';
import { keyNames } from '../../../config/keys/table.ts';
import { readProfile } from '../../../config/profile-files.ts';
import { nestByDots } from '../../../config/schema.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { oneLine } from '../../../printable.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { displayValue } from './config.ts';

export async function info(
  app: App,
  options: GlobalOptions & InfoOptions,
  name: string,
): Promise<void> {
  const { settings, origins, warnings } = await readConfig(app, { ...options, profile: name });
  // `default` stands for the configuration without any profile.
  const chosen = keyNames.filter((key) =>
    name === 'default'
      ? settings[key] !== undefined
      : origins[key].some(({ kind }) => kind === 'profile'),
  );
  const value = displayValue(options.showSecrets ?? false);
  const values = Object.fromEntries(chosen.map((key: KeyName) => [key, value(key, settings[key])]));
  const source = readProfile(name, configPathsFor(app, options), hostFiles);
  const inherits = source?.inherits;
  if (options.json)
    app.io.printJson({
      ...(inherits === undefined ? {} : { inherits }),
      ...(source === undefined ? {} : { source: source.path }),
      ...nestByDots(values),
    });
  else {
    const head = [
      `# profile ${name}`,
      ...(inherits === undefined ? [] : [`# inherits ${oneLine(inherits)}`]),
      `# source ${oneLine(source?.path ?? '(built-in)')}`,
    ];
    app.io.print(`${head.join('\n')}\n${stringify(nestByDots(values))}`.trimEnd());
  }
  for (const warning of warnings) app.io.warn(warning);
}

export interface InfoOptions {
  readonly json?: boolean;
  readonly showSecrets?: boolean;
}
