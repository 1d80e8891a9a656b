// Finds profiles on disk: in ~/.coi, in the project, and next to the file in $COI_CONFIG.
import { CoiError } from '../errors.ts';
import type { FileContent } from '../host/fs/file-content.ts';
import type { HostFiles } from '../host/fs/host-files.ts';
import type { ConfigPaths } from './config-paths.ts';
import { envConfigPath, hasProject, toSource, withReadErrors } from './files.ts';
import { anyName } from './keys/forms.ts';
import { type ConfigSource, configMaxBytes } from './read.ts';

interface ProfileRoot {
  /** Contains the directory `profiles`. */
  readonly dir: string;
  readonly trusted: boolean;
  readonly read: (relative: string) => FileContent | undefined;
}

/** Throws `config-invalid` if two profiles have that name. */
export function readProfile(
  name: string,
  paths: ConfigPaths,
  files: HostFiles,
): ConfigSource | undefined {
  if (!anyName.test(name)) return undefined;
  const relative = `profiles/${name}/config.toml`;
  const found = profileRoots(paths, files).flatMap(({ dir, trusted, read }) => {
    const path = `${dir}/${relative}`;
    const content = withReadErrors(path, files, () => read(relative));
    return content ? [toSource(path, content, 'profile', trusted, paths)] : [];
  });
  const [first, second] = found;
  if (first && second)
    throw new CoiError(
      'config-invalid',
      `there are two profiles ${name}: ${first.path} and ${second.path}`,
      { hint: 'Rename one of them.' },
    );
  return first;
}

/** Names and paths of the profiles on disk. */
export function listProfiles(
  paths: ConfigPaths,
  files: HostFiles,
): { readonly name: string; readonly path: string }[] {
  return profileRoots(paths, files).flatMap(({ dir }) =>
    namesIn(dir, files).map((name) => ({ name, path: `${dir}/profiles/${name}/config.toml` })),
  );
}

function namesIn(root: string, files: HostFiles): string[] {
  try {
    using top = files.open(root);
    using profiles = top?.openDirectory('profiles');
    const names: string[] = [];
    for (const { name } of profiles?.entries() ?? []) {
      // Other names are not profiles, and the name would be printed.
      if (!anyName.test(name)) continue;
      if (names.length < 1000 && profiles?.entry(`${name}/config.toml`)) names.push(name);
    }
    return names.sort();
  } catch (error) {
    if (files.asFileError(error)) return [];
    throw error;
  }
}

/** The user's profiles may be symlinks, a project's may not. */
function profileRoots(paths: ConfigPaths, files: HostFiles): ProfileRoot[] {
  const { home, workspace } = paths;
  const found: ProfileRoot[] = [
    {
      dir: `${home}/.coi`,
      trusted: true,
      read: (relative) =>
        files.readUserFile(home, `.coi/${relative}`, { maxBytes: configMaxBytes }),
    },
  ];
  if (hasProject(paths, files))
    found.push({
      dir: `${workspace}/.coi`,
      trusted: false,
      read: (relative) => {
        using directory = files.open(workspace);
        return directory?.read(`.coi/${relative}`, { maxBytes: configMaxBytes });
      },
    });
  const named = rootBesideEnvConfig(paths, files);
  const isNew =
    named && !found.some(({ dir }) => dir === named.dir || files.realPath(dir) === named.real);
  return isNew ? [...found, named] : found;
}

/** $COI_CONFIG makes that file trusted, but not its neighbours: in a workspace an agent may have written them. */
function rootBesideEnvConfig(
  paths: ConfigPaths,
  files: HostFiles,
): (ProfileRoot & { readonly real: string }) | undefined {
  const path = envConfigPath(paths);
  if (path === undefined) return undefined;
  const dir = path.slice(0, path.lastIndexOf('/')) || '/';
  const real = files.realPath(dir);
  if (!real?.startsWith('/')) return undefined;
  const trusted = !isInProject(real, paths, files);
  const limit = { maxBytes: configMaxBytes };
  return {
    dir,
    real,
    trusted,
    read: (relative) => {
      if (trusted) return files.readUserFile(real, relative, limit);
      using directory = files.open(real);
      return directory?.read(relative, limit);
    },
  };
}

/** Whether a directory belongs to this project, another project, or any workspace of an agent. */
function isInProject(
  real: string,
  { home, workspace, agentWorkspaces: workedIn }: ConfigPaths,
  files: HostFiles,
): boolean {
  const realOf = (path: string) => files.realPath(path) ?? path;
  if (isWithin(real, realOf(workspace))) return true;
  const own = realOf(home);
  const above = upwards(real).filter((path) => !isWithin(own, path));
  if (above.some((path) => files.exists(`${path}/.coi`))) return true;
  // An agent that worked in the home itself could write all of the user's files anyway.
  return workedIn()
    .flat()
    .map(realOf)
    .some((path) => isWithin(real, path) && !isWithin(own, path));
}

/** The directory and its ancestors. */
function upwards(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`);
}

/** Unlike `isWithin` for protected paths, `top` may be the root directory here. */
function isWithin(path: string, top: string): boolean {
  return path === top || path.startsWith(top === '/' ? top : `${top}/`);
}
