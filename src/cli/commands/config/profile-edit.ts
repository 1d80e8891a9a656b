// `coi profile edit` and `coi profile delete`.
import { readConfig } from '../../../app/configuration.ts';
import { existingProfilePath, fileFailure } from '../../../app/configuration-files/profile-file.ts';
import { CoiError } from '../../../errors.ts';
import { type Directory, hostFiles } from '../../../host/fs/host-files.ts';
import { removeTree } from '../../../host/fs/remove-tree.ts';
import { readText } from '../../../host/linux/proc-file.ts';
import { edit } from '../../../host/terminal/editor.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';

export interface DeleteOptions {
  force?: boolean;
  json?: boolean;
}

export async function editProfile(app: App, options: GlobalOptions, name: string): Promise<void> {
  const path = existingProfilePath(app, options, name);
  const status = await edit(path, app.env);
  if (status !== 0)
    throw new CoiError('failed', `the editor exited with status ${status}`, {
      hint: 'Set VISUAL or EDITOR to a program that is installed.',
    });
  try {
    const { warnings } = await readConfig(app, { ...options, profile: name });
    for (const warning of warnings) app.io.warn(warning);
    app.io.print(`Profile '${name}' is valid`);
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    app.io.warn(`profile '${name}' is invalid: ${error.message}`);
  }
}

export async function deleteProfile(
  app: App,
  options: GlobalOptions,
  name: string,
  { force = false, json = false }: DeleteOptions,
): Promise<void> {
  const path = existingProfilePath(app, options, name);
  const shown = readText(path);
  if (!force && !(await app.io.confirm(`Delete profile '${name}' (${path})?`)))
    return json
      ? app.io.printJson({ profile: name, path, deleted: false })
      : app.io.print('Cancelled.');
  // The file may have changed while the question was open.
  if (readText(path) !== shown)
    throw new CoiError('failed', `profile '${name}' changed in the meantime and was not deleted`, {
      hint: 'Run the command again.',
    });
  const profiles = path.slice(0, -`/${name}/config.toml`.length);
  using directory = hostFiles.open(profiles);
  try {
    if (directory) await removeTree(directory as Directory, name);
  } catch (error) {
    throw fileFailure(error);
  }
  if (json) app.io.printJson({ profile: name, path, deleted: true });
  else app.io.info(`Deleted profile '${name}'`);
}
