// Where profiles are on disk: in the user's ~/.coi, in the project, and beside the file that $COI_CONFIG names.
import { CoiError } from '../errors.ts';
import type { FileContent } from '../host/fs/file-content.ts';
import type { HostFiles } from '../host/fs/host-files.ts';
import { hasProject, namedPath, readable, source } from './files.ts';
import { anyName } from './keys/forms.ts';
import type { Places } from './places.ts';
import { type ConfigSource, configMaxBytes } from './read.ts';

interface Root {
  /** Has a directory `profiles`. */
  readonly dir: string;
  readonly trusted: boolean;
  readonly read: (relative: string) => FileContent | undefined;
}

/** The profile of that name. Throws `config-invalid` if there are two. */
export function profileSource(
  name: string,
  places: Places,
  files: HostFiles,
): ConfigSource | undefined {
  if (!anyName.test(name)) return undefined;
  const relative = `profiles/${name}/config.toml`;
  const found = roots(places, files).flatMap(({ dir, trusted, read }) => {
    const path = `${dir}/${relative}`;
    const content = readable(path, files, () => read(relative));
    return content ? [source(path, content, 'profile', trusted, places)] : [];
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

/** Names of the profiles on disk, and where they are. */
export function profileNames(
  places: Places,
  files: HostFiles,
): { readonly name: string; readonly path: string }[] {
  return roots(places, files).flatMap(({ dir }) =>
    namesIn(dir, files).map((name) => ({ name, path: `${dir}/profiles/${name}/config.toml` })),
  );
}

function namesIn(root: string, files: HostFiles): string[] {
  try {
    using top = files.open(root);
    using profiles = top?.directory('profiles');
    const names: string[] = [];
    for (const { name } of profiles?.entries() ?? []) {
      // A directory of another name can be no profile, and its name would be printed.
      if (!anyName.test(name)) continue;
      if (names.length < 1000 && profiles?.entry(`${name}/config.toml`)) names.push(name);
    }
    return names.sort();
  } catch (error) {
    if (files.problem(error)) return [];
    throw error;
  }
}

/** The user's own may be links, a project's may not. */
function roots(places: Places, files: HostFiles): Root[] {
  const { home, workspace } = places;
  const found: Root[] = [
    {
      dir: `${home}/.coi`,
      trusted: true,
      read: (relative) =>
        files.readUserFile(home, `.coi/${relative}`, { maxBytes: configMaxBytes }),
    },
  ];
  if (hasProject(places, files))
    found.push({
      dir: `${workspace}/.coi`,
      trusted: false,
      read: (relative) => {
        using directory = files.open(workspace);
        return directory?.read(`.coi/${relative}`, { maxBytes: configMaxBytes });
      },
    });
  const named = besideNamed(places, files);
  const isNew =
    named && !found.some(({ dir }) => dir === named.dir || files.realPath(dir) === named.real);
  return isNew ? [...found, named] : found;
}

/** With $COI_CONFIG the user vouches for that file, not for what an agent may have put beside it in a workspace. */
function besideNamed(
  places: Places,
  files: HostFiles,
): (Root & { readonly real: string }) | undefined {
  const path = namedPath(places);
  if (path === undefined) return undefined;
  const dir = path.slice(0, path.lastIndexOf('/')) || '/';
  const real = files.realPath(dir);
  if (!real?.startsWith('/')) return undefined;
  const trusted = !isOfProject(real, places, files);
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

/** Whether a directory is one of this project's, of another's, or of any that an agent has worked in. */
function isOfProject(
  real: string,
  { home, workspace, workedIn }: Places,
  files: HostFiles,
): boolean {
  const realOf = (path: string) => files.realPath(path) ?? path;
  if (isWithin(real, realOf(workspace))) return true;
  const own = realOf(home);
  const above = upwards(real).filter((path) => !isWithin(own, path));
  if (above.some((path) => files.exists(`${path}/.coi`))) return true;
  // Who has worked in the home itself has all of the user's own files, too.
  return workedIn()
    .flat()
    .map(realOf)
    .some((path) => isWithin(real, path) && !isWithin(own, path));
}

/** The directory and those above it. */
function upwards(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`);
}

/** Unlike that of protected paths: here `top` may be the root. */
function isWithin(path: string, top: string): boolean {
  return path === top || path.startsWith(top === '/' ? top : `${top}/`);
}
