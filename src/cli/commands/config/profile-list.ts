// `coi profile list`.
import { configPathsFor, readConfig } from '../../../app/configuration.ts';
import { builtInProfiles } from '../../../config/profile.ts';
import { listProfiles, readProfile } from '../../../config/profile-files.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';
import { table } from '../../ui/table.ts';
import { skippedProfileText } from './pending-trust.ts';

export async function list(app: App, options: GlobalOptions & ListOptions): Promise<void> {
  const paths = configPathsFor(app, options);
  const onDisk = listProfiles(paths, hostFiles).map(({ name }) => name);
  const names = [...new Set([...Object.keys(builtInProfiles), ...onDisk])].sort();
  const rows: ProfileRow[] = [];
  for (const name of names) {
    try {
      rows.push(await profileRow(app, options, name));
    } catch (error) {
      // A broken profile does not hide the others.
      if (!(error instanceof CoiError) || error.code !== 'config-invalid') throw error;
      app.io.warn(skippedProfileText(name, error));
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

async function profileRow(app: App, options: GlobalOptions, name: string): Promise<ProfileRow> {
  const { settings } = await readConfig(app, { ...options, profile: name });
  const source = readProfile(name, configPathsFor(app, options), hostFiles);
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

interface ProfileRow {
  readonly name: string;
  readonly image: string;
  readonly persistent: boolean;
  readonly storage_pool?: string;
  readonly inherits?: string;
  readonly source?: string;
}

export interface ListOptions {
  readonly format: 'text' | 'json';
  readonly json?: boolean;
}
