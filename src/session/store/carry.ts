// Copies of the user's commands, skills, hooks and their like go into a new session's store. Nothing is ever copied back.
import type { CarriedFile, Directory, HostFiles, Owner } from '../../host/fs/host-files.ts';
import { importedFiles } from '../../tools/imports.ts';
import { jsonObject } from '../../tools/settings.ts';
import type { Tool } from '../../tools/shape.ts';

/** What a usual home has is a twentieth of it. It costs 0.2 ms a file, or more where the disk is slow. */
const carryLimits = {
  files: 2000,
  bytes: 32 * 2 ** 20,
  fileBytes: 4 * 2 ** 20,
  depth: 12,
} as const;

const namingMaxBytes = 2 ** 20;
const namedMax = 3;

export interface CarryWish {
  readonly session: Directory;
  readonly files: HostFiles;
  readonly home: string;
  /** Of the agent's user in the container. */
  readonly guestHome: string;
  readonly owner: Owner;
  /** `[tool] carry`; undefined takes what the tool says, and what its settings name. */
  readonly names: readonly string[] | undefined;
  readonly warnings: string[];
}

/** Copies what is carried. What does not come is told by one sentence. */
export function carryInto(tool: Tool, wish: CarryWish): void {
  const { carry } = tool;
  if (!carry) return;
  const names = wish.names ?? withNamed(carry.names, named(tool, wish));
  const found = wish.files.collectCarried(wish.home, carry.directory, names, {
    ...carryLimits,
    ...(carry.parts && { parts: carry.parts }),
  });
  // What coi brings in its own way: settings, instructions, logins.
  const own = new Set([
    ...tool.seeds.map(({ to }) => to),
    ...(carry.never ?? []).map((name) => `${carry.directory}/${name}`),
    ...(tool.contextFile === undefined ? [] : [tool.contextFile]),
  ]);
  const carried = found.files.filter(({ path }) => !own.has(`${carry.directory}/${path}`));
  const leftOut = [...found.leftOut];
  for (const [parent, ofParent] of Map.groupBy(carried, ({ path }) => parentOf(path))) {
    const problem = write(`${carry.directory}${parent}`, ofParent, carry.withPaths ?? [], wish);
    if (problem !== undefined) leftOut.push(problem);
  }
  if (leftOut.length > 0) wish.warnings.push(leftOutLine(leftOut));
}

/** Whether a new store has that path, relative to the home. */
export function storeHas(session: Directory, files: HostFiles): (path: string) => boolean {
  return (path) => {
    try {
      return session.entry(path) !== undefined;
    } catch (error) {
      if (files.problem(error)) return false;
      throw error;
    }
  };
}

function withNamed(names: readonly string[], more: readonly string[]): string[] {
  const others = more.filter(
    (path) => !names.some((name) => path === name || path.startsWith(`${name}/`)),
  );
  return [...names, ...others];
}

/** What the user's settings name as programs, and instructions take in, below the agent's directory. */
function named({ seeds, carry }: Tool, { files, home }: CarryWish): string[] {
  if (!carry) return [];
  const { directory, imports } = carry;
  return seeds.flatMap(({ from, kind, fit }) => {
    const isImporting = imports === true && kind === 'context';
    if (!fit && !isImporting) return [];
    try {
      const text = files.readUserFile(home, from, { maxBytes: namingMaxBytes })?.text ?? '';
      if (isImporting) return importedFiles(text, directory);
      const paths = fit?.named(jsonObject(text) ?? {}, home, directory) ?? [];
      return paths.filter((path) => path.split('/').every((name) => !/^\.{0,2}$/.test(name)));
    } catch (error) {
      // Whoever takes the file over tells what is wrong with it.
      if (files.problem(error)) return [];
      throw error;
    }
  });
}

/**
 * No container runs, so nothing else writes there, but an earlier one of a session in which nothing was said may have
 * left anything: a link is refused or replaced, never followed. Returns what went wrong.
 */
function write(
  directory: string,
  carried: readonly CarriedFile[],
  withPaths: readonly string[],
  { session, files, home, guestHome, owner }: CarryWish,
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
    const problem = files.problem(error);
    // A full disk keeps a session from starting, here as elsewhere.
    if (!problem || problem.reason === 'full') throw error;
    return problem.message;
  }
}

function leftOutLine(sentences: readonly string[]): string {
  const more = sentences.length - namedMax;
  const said = sentences.slice(0, namedMax).join('; ');
  return `Not carried into the session: ${said}${more > 0 ? `; and ${more} more` : ''}`;
}

/** '' or `/a/b`. */
function parentOf(path: string): string {
  return path.includes('/') ? `/${path.slice(0, path.lastIndexOf('/'))}` : '';
}
