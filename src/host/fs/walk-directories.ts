// Walks a directory without following links, level by level, and says what could not be looked at.
import { type Dirent, readdirSync } from 'node:fs';

export interface WalkedEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
}

export interface Unwalked {
  /** Relative to the root; '' is the root itself. */
  readonly path: string;
  readonly why: string;
}

/**
 * Calls `visit` for each directory at and below `from`, none before the one that holds it; paths are relative. Returns what was not looked
 * at: what cannot be read, what has no name in UTF-8, and the first of all that comes after `max` entries.
 */
export function walkDirectories(
  root: string,
  max: number,
  visit: (path: string, entries: readonly WalkedEntry[]) => void,
  from = '',
): Unwalked[] {
  const unwalked: Unwalked[] = [];
  const open = [from];
  let seen = 0;
  // The array grows while it is gone through.
  for (const path of open) {
    let entries: readonly WalkedEntry[];
    try {
      entries = readdirSync(`${root}/${path}`, { withFileTypes: true }).map(walkedEntry);
    } catch (error) {
      const why = whyUnread(path, error);
      if (why !== undefined) unwalked.push({ path, why });
      continue;
    }
    seen += entries.length;
    if (seen > max)
      return [{ path, why: `the workspace has more than ${max} entries` }, ...unwalked];
    visit(path, entries);
    for (const { name, kind } of entries)
      if (kind === 'directory') open.push(path === '' ? name : `${path}/${name}`);
  }
  return unwalked;
}

function walkedEntry(entry: Dirent): WalkedEntry {
  return { name: entry.name, kind: kindOf(entry) };
}

function kindOf(entry: Dirent): WalkedEntry['kind'] {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

/** Undefined for a directory that is gone meanwhile. */
function whyUnread(path: string, error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      // What stands for bytes that are no text leads to no file.
      return path.includes('\ufffd') ? 'its name is not UTF-8' : undefined;
    case 'ENOTDIR':
    case 'ELOOP':
      return undefined;
    case 'EACCES':
    case 'EPERM':
      return 'it may not be read by this user';
    case 'ENAMETOOLONG':
      return 'it lies too deep';
    default:
      return `it could not be read (${String(code ?? error)})`;
  }
}
