// Files of profiles: found, made, and why they cannot be.
import { builtInProfiles } from '../../config/profile.ts';
import { profileNames, profileSource } from '../../config/profile-files.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { ConfigurationOf } from '../configuration.ts';
import { placesOf } from '../configuration.ts';
import type { AppContext } from '../context.ts';

export function write(app: AppContext, root: string, directory: string, text: string): void {
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

export function existingPath(app: AppContext, of: ConfigurationOf, name: string): string {
  const places = placesOf(app, of);
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

export function fileFailure(error: unknown): unknown {
  const problem = hostFiles.problem(error);
  return problem ? new CoiError('failed', problem.message, { cause: error }) : error;
}
