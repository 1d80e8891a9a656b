// Finds and writes profile files.
import { builtInProfiles } from '../../config/profile.ts';
import { listProfiles, readProfile } from '../../config/profile-files.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { ConfigScope } from '../configuration.ts';
import { configPathsFor } from '../configuration.ts';
import type { AppContext } from '../context.ts';

export function writeProfile(app: AppContext, root: string, directory: string, text: string): void {
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

export function existingProfilePath(app: AppContext, of: ConfigScope, name: string): string {
  const paths = configPathsFor(app, of);
  const source = profileSourcePath(name, paths);
  if (source !== undefined) return source;
  if (Object.hasOwn(builtInProfiles, name))
    throw new CoiError('failed', `profile '${name}' is built in and cannot be changed`, {
      hint: `Create your own on top of it: coi profile create NAME --inherits ${name}`,
    });
  const known = listProfiles(paths, hostFiles).map((one) => one.name);
  throw new CoiError('profile-not-found', `profile '${name}' not found`, {
    hint:
      known.length === 0
        ? 'Run `coi profile create NAME` to make one.'
        : `Available profiles: ${known.join(', ')}.`,
  });
}

/** Also of a broken profile, because users edit it then. */
function profileSourcePath(
  name: string,
  paths: ReturnType<typeof configPathsFor>,
): string | undefined {
  try {
    return readProfile(name, paths, hostFiles)?.path;
  } catch (error) {
    if (!(error instanceof CoiError)) throw error;
    return listProfiles(paths, hostFiles).find((one) => one.name === name)?.path;
  }
}

export function fileFailure(error: unknown): unknown {
  const problem = hostFiles.asFileError(error);
  return problem ? new CoiError('failed', problem.message, { cause: error }) : error;
}
