// Finds and reads configuration files. The user's own may be symlinks, a project's may not.
import { CoiError } from '../errors.ts';
import type { FileContent, HostFiles } from '../host/fs/host-files.ts';
import type { ConfigPaths } from './config-paths.ts';
import { resolvePath } from './keys/values.ts';
import { oldConfigFiles } from './migrate.ts';
import { type ConfigSource, configMaxBytes, parseConfig } from './read.ts';

export interface ConfigSources {
  readonly user: ConfigSource | undefined;
  readonly project: ConfigSource | undefined;
  /** The file that $COI_CONFIG names. */
  readonly named: ConfigSource | undefined;
  readonly warnings: readonly string[];
}

/** Reads the user's file, the project's file and the file in $COI_CONFIG. Throws `config-invalid`. */
export function findSources(paths: ConfigPaths, files: HostFiles): ConfigSources {
  const closed = isUnreadable(paths, files);
  const problems: CoiError[] = [];
  const collect = <T>(read: () => T) => collectProblem(read, problems);
  const warnings = collect(() => checkOldFiles(paths, closed, files)) ?? [];
  if (closed)
    warnings.push(
      `${paths.workspace} cannot be read by this user: its project configuration is ignored`,
    );
  const user = collect(() => userSource('.coi/config.toml', 'config', paths, files));
  const project =
    closed || isHome(paths, files)
      ? undefined
      : collect(() => projectSource('.coi/config.toml', 'config', paths, files));
  const named = collect(() => envConfigSource(paths, files));
  if (problems.length > 0) throw combineErrors(problems);
  return { user, project, named, warnings };
}

/** Collects a problem, so that all files are reported at once. */
function collectProblem<T>(read: () => T, problems: CoiError[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CoiError && error.code === 'config-invalid')) throw error;
    problems.push(error);
    return undefined;
  }
}

function combineErrors(problems: readonly CoiError[]): CoiError {
  const hint = problems.find((one) => one.hint !== undefined)?.hint;
  return new CoiError('config-invalid', problems.map(({ message }) => message).join('\n'), {
    hint,
  });
}

function userSource(
  relative: string,
  kind: ConfigSource['kind'],
  paths: ConfigPaths,
  files: HostFiles,
): ConfigSource | undefined {
  const path = `${paths.home}/${relative}`;
  const content = withReadErrors(path, files, () =>
    files.readUserFile(paths.home, relative, { maxBytes: configMaxBytes }),
  );
  return content && toSource(path, content, kind, true, paths);
}

function projectSource(
  relative: string,
  kind: ConfigSource['kind'],
  paths: ConfigPaths,
  files: HostFiles,
): ConfigSource | undefined {
  const path = `${paths.workspace}/${relative}`;
  const content = withReadErrors(path, files, () => {
    using workspace = files.open(paths.workspace);
    return workspace?.read(relative, { maxBytes: configMaxBytes });
  });
  return content && toSource(path, content, kind, false, paths);
}

/** The path that $COI_CONFIG names. */
export function envConfigPath({ env, home, cwd }: ConfigPaths): string | undefined {
  const given = env['COI_CONFIG'];
  return given ? resolvePath(given, home, cwd) : undefined;
}

function envConfigSource(paths: ConfigPaths, files: HostFiles): ConfigSource | undefined {
  const path = envConfigPath(paths);
  if (path === undefined) return undefined;
  const real = files.realPath(path);
  const content = real?.startsWith('/')
    ? withReadErrors(path, files, () =>
        files.readUserFile('/', real.slice(1), { maxBytes: configMaxBytes }),
      )
    : undefined;
  if (!content) throw new CoiError('config-invalid', `${path} (from COI_CONFIG) does not exist`);
  return toSource(path, content, 'config', true, paths);
}

/** Parses a file; relative paths in it start at its directory. Throws `config-invalid`. */
export function toSource(
  path: string,
  { bytes }: FileContent,
  kind: ConfigSource['kind'],
  trusted: boolean,
  { home, workspace }: ConfigPaths,
): ConfigSource {
  return parseConfig({
    path,
    bytes,
    kind,
    trusted,
    bases: { home, dir: path.slice(0, path.lastIndexOf('/')), workspace },
  });
}

/** Turns read errors into `config-invalid`. */
export function withReadErrors<T>(path: string, files: HostFiles, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const problem = files.asFileError(error);
    if (!problem) throw error;
    throw new CoiError(
      'config-invalid',
      `the configuration ${path} cannot be read: ${problem.message}`,
      { cause: error },
    );
  }
}

/** An old project file stops every command, as in the old program; the other old files only cause a warning. */
function checkOldFiles(
  { home, workspace }: ConfigPaths,
  closed: boolean,
  files: HostFiles,
): string[] {
  const warnings: string[] = [];
  for (const { path, now, refused } of oldConfigFiles(home, workspace)) {
    if (files.realPath(path) === undefined || (closed && refused)) continue;
    const text = `${path} is no longer read: move it to ${now}`;
    if (refused)
      throw new CoiError('config-invalid', text, {
        hint: `Run \`coi migrate\`, or: mkdir -p ${now.slice(0, now.lastIndexOf('/'))} && mv ${path} ${now}`,
      });
    warnings.push(text);
  }
  return warnings;
}

/** Whether project files are used: the workspace is readable and is not the home directory. */
export function hasProject(paths: ConfigPaths, files: HostFiles): boolean {
  return !isUnreadable(paths, files) && !isHome(paths, files);
}

/** In the home directory the project file and the user's file are the same. */
function isHome({ home, workspace }: ConfigPaths, files: HostFiles): boolean {
  return workspace === home || files.realPath(workspace) === files.realPath(home);
}

/** A directory the user cannot read: no session starts there, and other commands run without its files. */
function isUnreadable({ workspace }: ConfigPaths, files: HostFiles): boolean {
  try {
    files.open(workspace)?.[Symbol.dispose]();
    return false;
  } catch (error) {
    return files.asFileError(error)?.reason === 'denied';
  }
}
