// `[security] secret_paths`: which entries of a workspace are empty inside. Pure.
import picomatch from 'picomatch';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';

export interface WorkspaceEntry {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  /** Names of the inode. */
  readonly links: number;
  /** Where a link leads to, relative to the workspace; undefined where it leads out of it or nowhere. */
  readonly target?: string | undefined;
}

export interface Secrets {
  /** What is covered; nothing of it lies in another. */
  readonly paths: readonly string[];
  readonly warnings: readonly string[];
}

/** Each is a mount in every session of the workspace. */
export const secretsMax = 200;

/** Throws `unprotected-path` where something that matches cannot be covered. */
export function secrets(globs: readonly string[], entries: readonly WorkspaceEntry[]): Secrets {
  const matches = picomatch(globs.map(cleanGlob), { dot: true });
  const found = new Set<string>();
  const warnings: string[] = [];
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  for (const entry of entries) {
    if (!matches(entry.path)) continue;
    const meant = entry.kind === 'link' ? byPath.get(entry.target ?? '') : entry;
    // Outside of the workspace there is nothing inside the container.
    if (!meant) continue;
    if (meant.kind === 'file' || meant.kind === 'directory') found.add(meant.path);
    else
      throw new CoiError(
        'unprotected-path',
        `${quoted(entry.path)} cannot be hidden: it is neither a file nor a directory`,
        { hint: 'Remove it, or take it out of [security] secret_paths.' },
      );
    if (meant.kind === 'file' && meant.links > 1)
      warnings.push(`${quoted(meant.path)} is hidden, but the same file has another name`);
  }
  const paths = [...found].filter((path) => !hasAbove(path, found)).sort();
  if (paths.length > secretsMax)
    throw new CoiError(
      'unprotected-path',
      `${paths.length} entries match [security] secret_paths; ${secretsMax} can be hidden`,
      { hint: 'Name the directory that holds them instead.' },
    );
  return { paths, warnings };
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
