// `[security] secret_paths`: workspace entries that are empty in the container. Pure.
import picomatch from 'picomatch';
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

export type HideKind = 'file' | 'directory' | 'other';

export interface WorkspaceEntry {
  readonly path: string;
  readonly kind: HideKind | 'link';
  /** Hard link count. */
  readonly links: number;
  /** Final target of a link; undefined if it is outside of the workspace or missing. */
  readonly target?: LinkTarget | undefined;
}

export interface LinkTarget {
  /** Relative to the workspace, without links; '' for the workspace itself. */
  readonly path: string;
  readonly kind: HideKind;
}

export interface HiddenPaths {
  /** Hidden paths; none is inside another. */
  readonly paths: readonly string[];
  /** Matching names that go through links: replacing such a link would prevent the match next time. */
  readonly names: readonly string[];
  readonly warnings: readonly string[];
}

/** Each hidden path is a mount in every session of the workspace. */
export const secretsMax = 200;
/** Limit for names through links. */
const namesMax = 200_000;

/** Throws `unprotected-path` if a match cannot be hidden. */
export function findHiddenPaths(
  globs: readonly string[],
  entries: readonly WorkspaceEntry[],
): HiddenPaths {
  const matches = picomatch(globs.map(cleanGlob), { dot: true });
  const found = new Set<string>();
  const names = new Set<string>();
  const warnings = new Set<string>();
  for (const { name, entry } of [...byOwnName(entries), ...byLinks(entries)]) {
    if (!matches(name)) continue;
    const target = entry.kind === 'link' ? entry.target : { path: entry.path, kind: entry.kind };
    // Targets outside of the workspace do not exist in the container.
    if (!target) continue;
    if (target.kind === 'other' || target.path === '') throw cannotHide(name, target);
    found.add(target.path);
    if (name !== target.path) names.add(name);
    if (target.kind === 'file' && entry.kind !== 'link' && entry.links > 1)
      warnings.add(`${quoted(target.path)} is hidden, but the file has another hard link`);
  }
  const paths = [...found].filter((path) => !hasAncestor(path, found)).sort();
  const most = Math.max(paths.length, names.size);
  if (most > secretsMax)
    throw new CoiError(
      'unprotected-path',
      `${most} entries match [security] secret_paths; ${secretsMax} can be hidden`,
      { hint: 'List the directory that contains them instead.' },
    );
  return { paths, names: [...names].sort(), warnings: [...warnings] };
}

interface NamedEntry {
  readonly name: string;
  readonly entry: WorkspaceEntry;
}

function byOwnName(entries: readonly WorkspaceEntry[]): NamedEntry[] {
  return entries.map((entry) => ({ name: entry.path, entry }));
}

/** Entries in directories that links lead to, under their names through the links. Throws `unprotected-path`. */
function byLinks(entries: readonly WorkspaceEntry[]): NamedEntry[] {
  const inside = Map.groupBy(entries, ({ path }) =>
    path.slice(0, Math.max(0, path.lastIndexOf('/'))),
  );
  const named: NamedEntry[] = [];
  const look = (name: string, directory: string, above: readonly string[]) => {
    for (const entry of inside.get(directory) ?? []) {
      const inner = `${name}/${entry.path.slice(entry.path.lastIndexOf('/') + 1)}`;
      named.push({ name: inner, entry });
      if (named.length > namesMax) throw tooManyNames();
      if (entry.kind === 'directory') look(inner, entry.path, above);
      else follow(inner, entry, above);
    }
  };
  const follow = (name: string, { target }: WorkspaceEntry, above: readonly string[]) => {
    // Stops at link cycles.
    if (target?.kind === 'directory' && !above.includes(target.path))
      look(name, target.path, [...above, target.path]);
  };
  for (const entry of entries) follow(entry.path, entry, []);
  return named;
}

function cannotHide(name: string, { path }: LinkTarget): CoiError {
  const what =
    path === '' ? 'it leads to the workspace itself' : 'it is neither a file nor a directory';
  return new CoiError('unprotected-path', `${quoted(name)} cannot be hidden: ${what}`, {
    hint: 'Delete it, or remove it from [security] secret_paths.',
  });
}

function tooManyNames(): CoiError {
  return new CoiError(
    'unprotected-path',
    `links give the entries of the workspace more than ${namesMax} names: [security] secret_paths cannot be applied`,
    { hint: 'Start in a directory below it, or remove secret_paths.' },
  );
}

/** The tracked paths among these: committed content is readable in .git. `index` is the content of .git/index. */
export function trackedPaths(paths: readonly string[], index: Buffer): string[] {
  return paths.filter((path) => index.includes(`${path}\0`) || index.includes(`${path}/`));
}

function hasAncestor(path: string, found: ReadonlySet<string>): boolean {
  const parts = path.split('/');
  return parts.some((_, depth) => depth > 0 && found.has(parts.slice(0, depth).join('/')));
}

function cleanGlob(glob: string): string {
  return glob.replace(/^\.\//, '').replace(/\/+$/, '');
}
