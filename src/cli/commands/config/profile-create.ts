// coi profile create.
import { placesOf } from '../../../app/configuration.ts';
import { write } from '../../../app/configuration-files/profile-file.ts';
import { builtInProfiles } from '../../../config/profile.ts';
import { profileNames } from '../../../config/profile-files.ts';
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
    throw new CoiError('usage', '--user and --project exclude each other', {
      hint: 'Use one of them.',
    });
  if (name === 'default') {
    if (image !== undefined || persistent !== undefined)
      throw new CoiError('usage', '--image and --persistent are for a profile of your own', {
        hint: 'Set them under [container] in the file that `coi profile create default` makes.',
      });
    return createStarter(app, json);
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name))
    throw new CoiError('usage', `invalid profile name ${quoted(name)}`, {
      hint: 'Letters, digits, dots, dashes and _, beginning with a letter or a digit.',
    });
  if (image !== undefined) parseImageAlias(image);
  const places = placesOf(app, options);
  const known = [
    ...Object.keys(builtInProfiles),
    ...profileNames(places, hostFiles).map((one) => one.name),
  ];
  const before = profileNames(places, hostFiles).find((one) => one.name === name);
  if (before)
    throw new CoiError('failed', `profile '${name}' already exists: ${before.path}`, {
      hint: `\`coi profile edit ${name}\` changes it.`,
    });
  if (inherits !== undefined && !known.includes(inherits))
    throw new CoiError('profile-not-found', `profile '${inherits}' not found`, {
      hint: `Available profiles: ${known.join(', ')}.`,
    });
  const inProject =
    project ??
    (!user && places.workspace !== app.user.home && hostFiles.exists(`${places.workspace}/.coi`));
  const root = inProject ? places.workspace : app.user.home;
  write(app, root, `.coi/profiles/${name}`, starterProfile(name, { inherits, image, persistent }));
  const path = `${root}/.coi/profiles/${name}/config.toml`;
  if (json) app.io.printJson({ profile: name, path });
  else app.io.tell(`Created profile '${name}' in ${path}`);
}

/** The user's own configuration, with every key commented out; one that is there stays. */
function createStarter(app: App, json: boolean): void {
  const path = `${app.user.home}/.coi/config.toml`;
  if (hostFiles.exists(path))
    throw new CoiError('failed', `${path} already exists`, { hint: 'It is never overwritten.' });
  write(app, app.user.home, '.coi', starterConfig());
  if (json) app.io.printJson({ profile: 'default', path });
  else app.io.print(`Created ${path}`);
}
