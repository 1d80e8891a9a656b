// `[security] secret_paths`: which entries of a workspace are empty inside. Pure.
import picomatch from 'picomatch';
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';

export type HideKind = 'file' | 'directory' | 'other';

export interface WorkspaceEntry {
  readonly path: string;
  readonly kind: HideKind | 'link';
  /** Names of the inode. */
  readonly links: number;
  /** What a link leads to in the end; undefined where that is out of the workspace or nowhere. */
  readonly target?: LinkTarget | undefined;
}

export interface LinkTarget {
  /** Relative to the workspace, without links; '' for the workspace itself. */
  readonly path: string;
  readonly kind: HideKind;
}

export interface Secrets {
  /** What is covered; nothing of it lies in another. */
  readonly paths: readonly string[];
  /** By which names it was found, where they go over links: who replaces one keeps it from being found again. */
  readonly names: readonly string[];
  readonly warnings: readonly string[];
}

/** Each is a mount in every session of the workspace. */
export const secretsMax = 200;
/** Names that entries have by links, as far as they are looked at. */
const namesMax = 200_000;

/** Throws `unprotected-path` where something that matches cannot be covered. */
export function secrets(globs: readonly string[], entries: readonly WorkspaceEntry[]): Secrets {
  const matches = picomatch(globs.map(cleanGlob), { dot: true });
  const found = new Set<string>();
  const names = new Set<string>();
  const warnings = new Set<string>();
  for (const { name, entry } of [...byOwnName(entries), ...byLinks(entries)]) {
    if (!matches(name)) continue;
    const meant = entry.kind === 'link' ? entry.target : { path: entry.path, kind: entry.kind };
    // Outside of the workspace there is nothing inside the container.
    if (!meant) continue;
    if (meant.kind === 'other' || meant.path === '') throw notHidden(name, meant);
    found.add(meant.path);
    if (name !== meant.path) names.add(name);
    if (meant.kind === 'file' && entry.kind !== 'link' && entry.links > 1)
      warnings.add(`${quoted(meant.path)} is hidden, but the same file has another name`);
  }
  const paths = [...found].filter((path) => !hasAbove(path, found)).sort();
  const most = Math.max(paths.length, names.size);
  if (most > secretsMax)
    throw new CoiError(
      'unprotected-path',
      `${most} entries match [security] secret_paths; ${secretsMax} can be hidden`,
      { hint: 'Name the directory that holds them instead.' },
    );
  return { paths, names: [...names].sort(), warnings: [...warnings] };
}

interface Named {
  readonly name: string;
  readonly entry: WorkspaceEntry;
}

function byOwnName(entries: readonly WorkspaceEntry[]): Named[] {
  return entries.map((entry) => ({ name: entry.path, entry }));
}

/** What lies in directories that links lead to, by the names that it has through them. Throws `unprotected-path`. */
function byLinks(entries: readonly WorkspaceEntry[]): Named[] {
  const inside = Map.groupBy(entries, ({ path }) =>
    path.slice(0, Math.max(0, path.lastIndexOf('/'))),
  );
  const named: Named[] = [];
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
    // In a round the same directories come again and again.
    if (target?.kind === 'directory' && !above.includes(target.path))
      look(name, target.path, [...above, target.path]);
  };
  for (const entry of entries) follow(entry.path, entry, []);
  return named;
}

function notHidden(name: string, { path }: LinkTarget): CoiError {
  const what =
    path === '' ? 'it leads to the workspace itself' : 'it is neither a file nor a directory';
  return new CoiError('unprotected-path', `${quoted(name)} cannot be hidden: ${what}`, {
    hint: 'Remove it, or take it out of [security] secret_paths.',
  });
}

function tooManyNames(): CoiError {
  return new CoiError(
    'unprotected-path',
    `links give the entries of the workspace more than ${namesMax} names: [security] secret_paths cannot be looked up in it`,
    { hint: 'Start in a directory below it, or take secret_paths out.' },
  );
}

/** Of these, those that git knows: what is committed can be read in .git. `index` is the content of .git/index. */
export function tracked(paths: readonly string[], index: Buffer): string[] {
  return paths.filter((path) => index.includes(`${path}\0`) || index.includes(`${path}/`));
}

function hasAbove(path: string, found: ReadonlySet<string>): boolean {
  const parts = path.split('/');
  return parts.some((_, depth) => depth > 0 && found.has(parts.slice(0, depth).join('/')));
}

function cleanGlob(glob: string): string {
  return glob.replace(/^\.\//, '').replace(/\/+$/, '');
}
