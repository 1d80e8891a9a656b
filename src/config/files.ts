// Finds the files of configuration and reads them: the user's own may be links, a project's may not.
import { CoiError } from '../errors.ts';
import type { FileContent, HostFiles } from '../host/fs/host-files.ts';
import { resolvePath } from './keys/values.ts';
import { oldPlaces } from './migrate.ts';
import type { Places } from './places.ts';
import { type ConfigSource, configMaxBytes, configSource } from './read.ts';

export interface FoundSources {
  readonly user: ConfigSource | undefined;
  readonly project: ConfigSource | undefined;
  /** The file that $COI_CONFIG names. */
  readonly named: ConfigSource | undefined;
  readonly warnings: readonly string[];
}

/** Reads the files of the three places. Throws `config-invalid`. */
export function foundSources(places: Places, files: HostFiles): FoundSources {
  const closed = isClosed(places, files);
  const problems: CoiError[] = [];
  const readable = <T>(read: () => T) => withoutProblem(read, problems);
  const warnings = readable(() => leftovers(places, closed, files)) ?? [];
  if (closed)
    warnings.push(
      `${places.workspace} cannot be read by this user: the configuration of that project does not count`,
    );
  const user = readable(() => userSource('.coi/config.toml', 'config', places, files));
  const project =
    closed || isHome(places, files)
      ? undefined
      : readable(() => projectSource('.coi/config.toml', 'config', places, files));
  const named = readable(() => namedSource(places, files));
  if (problems.length > 0) throw allOf(problems);
  return { user, project, named, warnings };
}

/** What is wrong with one file does not hide what is wrong with the next. */
function withoutProblem<T>(read: () => T, problems: CoiError[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CoiError && error.code === 'config-invalid')) throw error;
    problems.push(error);
    return undefined;
  }
}

function allOf(problems: readonly CoiError[]): CoiError {
  const hint = problems.find((one) => one.hint !== undefined)?.hint;
  return new CoiError('config-invalid', problems.map(({ message }) => message).join('\n'), {
    hint,
  });
}

function userSource(
  relative: string,
  kind: ConfigSource['kind'],
  places: Places,
  files: HostFiles,
): ConfigSource | undefined {
  const path = `${places.home}/${relative}`;
  const content = readable(path, files, () =>
    files.readUserFile(places.home, relative, { maxBytes: configMaxBytes }),
  );
  return content && source(path, content, kind, true, places);
}

function projectSource(
  relative: string,
  kind: ConfigSource['kind'],
  places: Places,
  files: HostFiles,
): ConfigSource | undefined {
  const path = `${places.workspace}/${relative}`;
  const content = readable(path, files, () => {
    using workspace = files.open(places.workspace);
    return workspace?.read(relative, { maxBytes: configMaxBytes });
  });
  return content && source(path, content, kind, false, places);
}

/** The path that $COI_CONFIG names. */
export function namedPath({ env, home, cwd }: Places): string | undefined {
  const given = env['COI_CONFIG'];
  return given ? resolvePath(given, home, cwd) : undefined;
}

function namedSource(places: Places, files: HostFiles): ConfigSource | undefined {
  const path = namedPath(places);
  if (path === undefined) return undefined;
  const real = files.realPath(path);
  const content = real?.startsWith('/')
    ? readable(path, files, () =>
        files.readUserFile('/', real.slice(1), { maxBytes: configMaxBytes }),
      )
    : undefined;
  if (!content)
    throw new CoiError('config-invalid', `${path}, which COI_CONFIG names, does not exist`);
  return source(path, content, 'config', true, places);
}

/** A file's text as a source, with its paths taken from where it lies. Throws `config-invalid`. */
export function source(
  path: string,
  { bytes }: FileContent,
  kind: ConfigSource['kind'],
  trusted: boolean,
  { home, workspace }: Places,
): ConfigSource {
  return configSource({
    path,
    bytes,
    kind,
    trusted,
    place: { home, dir: path.slice(0, path.lastIndexOf('/')), workspace },
  });
}

/** What goes wrong with the path becomes `config-invalid`. */
export function readable<T>(path: string, files: HostFiles, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const problem = files.problem(error);
    if (!problem) throw error;
    throw new CoiError(
      'config-invalid',
      `the configuration ${path} cannot be read: ${problem.message}`,
      { cause: error },
    );
  }
}

/** A file of the old place of a project stops every command, as it did; the others are only named. */
function leftovers({ home, workspace }: Places, closed: boolean, files: HostFiles): string[] {
  const warnings: string[] = [];
  for (const { path, now, refused } of oldPlaces(home, workspace)) {
    if (files.realPath(path) === undefined || (closed && refused)) continue;
    const text = `${path} is not read any more: move it to ${now}`;
    if (refused)
      throw new CoiError('config-invalid', text, {
        hint: `\`coi migrate\` does it, or: mkdir -p ${now.slice(0, now.lastIndexOf('/'))} && mv ${path} ${now}`,
      });
    warnings.push(text);
  }
  return warnings;
}

/** The project's own files count: it can be read, and is not the home directory. */
export function hasProject(places: Places, files: HostFiles): boolean {
  return !isClosed(places, files) && !isHome(places, files);
}

/** In the home directory the project's file would be the user's own once more. */
function isHome({ home, workspace }: Places, files: HostFiles): boolean {
  return workspace === home || files.realPath(workspace) === files.realPath(home);
}

/** A directory that the user may not look into: no session starts there, and other commands go on without its files. */
function isClosed({ workspace }: Places, files: HostFiles): boolean {
  try {
    files.open(workspace)?.[Symbol.dispose]();
    return false;
  } catch (error) {
    return files.problem(error)?.reason === 'denied';
  }
}
