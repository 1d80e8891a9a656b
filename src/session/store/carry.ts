// Copies the user's commands, skills, hooks and similar files into a new session's store. Nothing is ever copied back.
import type { CarriedFile, Directory, HostFiles, Owner } from '../../host/fs/host-files.ts';
import { importedFiles } from '../../tools/imports.ts';
import { parseJsonObject } from '../../tools/settings.ts';
import type { Tool } from '../../tools/tool.ts';

/** About twenty times a typical home. A file takes 0.2 ms, more on a slow disk. */
const carryLimits = {
  files: 2000,
  bytes: 32 * 2 ** 20,
  fileBytes: 4 * 2 ** 20,
  depth: 12,
} as const;

const namingMaxBytes = 2 ** 20;
const namedMax = 3;

export interface CarryRequest {
  readonly session: Directory;
  readonly files: HostFiles;
  readonly home: string;
  /** Home of the agent's user in the container. */
  readonly guestHome: string;
  readonly owner: Owner;
  /** `[tool] carry`; undefined for the tool's default and the files that its settings name. */
  readonly names: readonly string[] | undefined;
  readonly warnings: string[];
}

/** Copies the carried files. Files left out are reported in one sentence. */
export function carryFiles(tool: Tool, request: CarryRequest): void {
  const { carry } = tool;
  if (!carry) return;
  const names = request.names ?? mergeNames(carry.names, namedFiles(tool, request));
  const found = request.files.collectCarriedFiles(request.home, carry.directory, names, {
    ...carryLimits,
    ...(carry.parts && { parts: carry.parts }),
  });
  // Files that coi handles separately: settings, instructions, logins.
  const own = new Set([
    ...tool.seeds.map(({ to }) => to),
    ...(carry.never ?? []).map((name) => `${carry.directory}/${name}`),
    ...(tool.contextFile === undefined ? [] : [tool.contextFile]),
  ]);
  const carried = found.files.filter(({ path }) => !own.has(`${carry.directory}/${path}`));
  const leftOut = [...found.leftOut];
  for (const [parent, ofParent] of Map.groupBy(carried, ({ path }) => parentOf(path))) {
    const problem = write(`${carry.directory}${parent}`, ofParent, carry.withPaths ?? [], request);
    if (problem !== undefined) leftOut.push(problem);
  }
  if (leftOut.length > 0) request.warnings.push(leftOutLine(leftOut));
}

/** Returns a function that checks whether a new store has a path, relative to the home. */
export function storeHas(session: Directory, files: HostFiles): (path: string) => boolean {
  return (path) => {
    try {
      return session.entry(path) !== undefined;
    } catch (error) {
      if (files.asFileError(error)) return false;
      throw error;
    }
  };
}

function mergeNames(names: readonly string[], more: readonly string[]): string[] {
  const others = more.filter(
    (path) => !names.some((name) => path === name || path.startsWith(`${name}/`)),
  );
  return [...names, ...others];
}

/** Programs in the user's settings and imports of instructions, below the agent's directory. */
function namedFiles({ seeds, carry }: Tool, { files, home }: CarryRequest): string[] {
  if (!carry) return [];
  const { directory, imports } = carry;
  return seeds.flatMap(({ from, kind, fit }) => {
    const isImporting = imports === true && kind === 'context';
    if (!fit && !isImporting) return [];
    try {
      const text = files.readUserFile(home, from, { maxBytes: namingMaxBytes })?.text ?? '';
      if (isImporting) return importedFiles(text, directory);
      const paths = fit?.named(parseJsonObject(text) ?? {}, home, directory) ?? [];
      return paths.filter((path) => path.split('/').every((name) => !/^\.{0,2}$/.test(name)));
    } catch (error) {
      // Reported when the file is copied.
      if (files.asFileError(error)) return [];
      throw error;
    }
  });
}

/**
 * No container runs, so nothing else writes there. But an earlier container of a session without a conversation may have
 * left anything: a link is refused or replaced, never followed. Returns the problem, if any.
 */
function write(
  directory: string,
  carried: readonly CarriedFile[],
  withPaths: readonly string[],
  { session, files, home, guestHome, owner }: CarryRequest,
): string | undefined {
  try {
    using into = session.makeDirectory(directory, { owner });
    for (const { path, bytes, executable } of carried) {
      const content = withPaths.includes(path)
        ? bytes.toString('utf8').replaceAll(`"${home}/`, `"${guestHome}/`)
        : bytes;
      const mode = executable ? 0o700 : 0o600;
      into.write(path.slice(path.lastIndexOf('/') + 1), content, { owner, mode, durable: false });
    }
    return undefined;
  } catch (error) {
    const problem = files.asFileError(error);
    // A full disk prevents the start, here as elsewhere.
    if (!problem || problem.reason === 'full') throw error;
    return problem.message;
  }
}

function leftOutLine(sentences: readonly string[]): string {
  const more = sentences.length - namedMax;
  const shown = sentences.slice(0, namedMax).join('; ');
  return `Not carried into the session: ${shown}${more > 0 ? `; and ${more} more` : ''}`;
}

/** '' or `/a/b`. */
function parentOf(path: string): string {
  return path.includes('/') ? `/${path.slice(0, path.lastIndexOf('/'))}` : '';
}
