// coi profile create, edit and delete.
import type { App } from '../app.ts';
import { builtInProfiles } from '../config/profile.ts';
import { profileNames, profileSource } from '../config/profile-files.ts';
import { starterConfig, starterProfile } from '../config/starter.ts';
import { CoiError } from '../errors.ts';
import { edit } from '../host/editor.ts';
import { type Directory, hostFiles } from '../host/files.ts';
import { readText } from '../host/read-text.ts';
import { removeTree } from '../host/remove.ts';
import { parseImageAlias, quoted } from '../names.ts';
import type { GlobalOptions } from './command.ts';
import { lookedUpConfig, placesOf } from './config.ts';

export interface CreateOptions {
  inherits?: string;
  user?: boolean;
  project?: boolean;
  json?: boolean;
}

export interface DeleteOptions {
  force?: boolean;
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

function write(app: App, root: string, directory: string, text: string): void {
  const owner = { uid: app.user.uid, gid: app.user.gid };
  using top = hostFiles.open(root);
  if (!top) throw new CoiError('failed', `${root} does not exist`);
  try {
    using made = top.makeDirectory(directory, { owner, mode: 0o755 });
    made.write('config.toml', text, { owner, mode: 0o644 });
  } catch (error) {
    throw fileFailure(error);
  }
}

export async function editProfile(app: App, options: GlobalOptions, name: string): Promise<void> {
  const path = existingPath(app, options, name);
  const status = await edit(path, app.env);
  if (status !== 0)
    throw new CoiError('failed', `the editor ended with status ${status}`, {
      hint: 'Set VISUAL or EDITOR to a program that is installed.',
    });
  try {
    const { warnings } = await lookedUpConfig(app, { ...options, profile: name });
    for (const warning of warnings) app.io.warn(warning);
    app.io.print(`Profile '${name}' is valid`);
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    app.io.warn(`profile '${name}' cannot be used as it is: ${error.message}`);
  }
}

export async function deleteProfile(
  app: App,
  options: GlobalOptions,
  name: string,
  { force = false, json = false }: DeleteOptions,
): Promise<void> {
  const path = existingPath(app, options, name);
  const shown = readText(path);
  if (!force && !(await app.io.confirm(`Delete profile '${name}' (${path})?`)))
    return json
      ? app.io.printJson({ profile: name, path, deleted: false })
      : app.io.print('Cancelled.');
  // The answer may have taken any time.
  if (readText(path) !== shown)
    throw new CoiError('failed', `profile '${name}' was changed while you were asked: it is kept`, {
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
  else app.io.tell(`Deleted profile '${name}'`);
}

function existingPath(app: App, options: GlobalOptions, name: string): string {
  const places = placesOf(app, options);
  const source = profileSourcePath(name, places);
  if (source !== undefined) return source;
  if (Object.hasOwn(builtInProfiles, name))
    throw new CoiError('failed', `profile '${name}' is built in and cannot be changed`, {
      hint: `Make your own on top of it: coi profile create NAME --inherits ${name}`,
    });
  const known = profileNames(places, hostFiles).map((one) => one.name);
  throw new CoiError('profile-not-found', `profile '${name}' not found`, {
    hint:
      known.length === 0
        ? 'Run `coi profile create NAME` to make one.'
        : `Available profiles: ${known.join(', ')}.`,
  });
}

/** Also of one whose content is broken: that is when it is edited. */
function profileSourcePath(name: string, places: ReturnType<typeof placesOf>): string | undefined {
  try {
    return profileSource(name, places, hostFiles)?.path;
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    return profileNames(places, hostFiles).find((one) => one.name === name)?.path;
  }
}

function fileFailure(error: unknown): unknown {
  const problem = hostFiles.problem(error);
  return problem ? new CoiError('failed', problem.message, { cause: error }) : error;
}
