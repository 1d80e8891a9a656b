// `coi profile create`.
import { configPathsFor } from '../../../app/configuration.ts';
import { writeProfile } from '../../../app/configuration-files/profile-file.ts';
import { builtInProfiles } from '../../../config/profile.ts';
import { listProfiles } from '../../../config/profile-files.ts';
import { starterConfig, starterProfile } from '../../../config/starter.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { parseImageAlias, quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import type { GlobalOptions } from '../../command-module.ts';

export interface CreateOptions {
  inherits?: string;
  user?: boolean;
  project?: boolean;
  json?: boolean;
}

export async function createProfile(
  app: App,
  options: GlobalOptions,
  name: string,
  { inherits, user, project, json = false }: CreateOptions,
): Promise<void> {
  const { image, persistent } = options;
  if (user && project)
    throw new CoiError('usage', '--user and --project cannot be combined', {
      hint: 'Use one of them.',
    });
  if (name === 'default') {
    if (image !== undefined || persistent !== undefined)
      throw new CoiError('usage', '--image and --persistent do not apply to the profile default', {
        hint: 'Set them under [container] in the file that `coi profile create default` creates.',
      });
    return createStarter(app, json);
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new CoiError('usage', `invalid profile name ${quoted(name)}`, {
      hint: 'Use letters, digits, dots, dashes and _; start with a letter or a digit.',
    });
  if (image !== undefined) parseImageAlias(image);
  const paths = configPathsFor(app, options);
  const known = [
    ...Object.keys(builtInProfiles),
    ...listProfiles(paths, hostFiles).map((one) => one.name),
  ];
  const before = listProfiles(paths, hostFiles).find((one) => one.name === name);
  if (before)
    throw new CoiError('failed', `profile '${name}' already exists: ${before.path}`, {
      hint: `Run \`coi profile edit ${name}\` to change it.`,
    });
  if (inherits !== undefined && !known.includes(inherits))
    throw new CoiError('profile-not-found', `profile '${inherits}' not found`, {
      hint: `Available profiles: ${known.join(', ')}.`,
    });
  const inProject =
    project ??
    (!user && paths.workspace !== app.user.home && hostFiles.exists(`${paths.workspace}/.coi`));
  const root = inProject ? paths.workspace : app.user.home;
  writeProfile(
    app,
    root,
    `.coi/profiles/${name}`,
    starterProfile(name, { inherits, image, persistent }),
  );
  const path = `${root}/.coi/profiles/${name}/config.toml`;
  if (json) app.io.printJson({ profile: name, path });
  else app.io.info(`Created profile '${name}' in ${path}`);
}

/** Writes the user's own configuration with every key commented out. An existing file is kept. */
function createStarter(app: App, json: boolean): void {
  const path = `${app.user.home}/.coi/config.toml`;
  if (hostFiles.exists(path))
    throw new CoiError('failed', `${path} already exists`, {
      hint: 'Edit it; it is never overwritten.',
    });
  writeProfile(app, app.user.home, '.coi', starterConfig());
  if (json) app.io.printJson({ profile: 'default', path });
  else app.io.print(`Created ${path}`);
}
