// Walks a directory tree breadth-first without following links and reports what it could not read.
import { type Dirent, readdirSync } from 'node:fs';

export interface WalkedEntry {
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
}

export interface SkippedDirectory {
  /** Relative to the root; '' is the root itself. */
  readonly path: string;
  readonly why: string;
}

/**
 * Calls `visit` for each directory at and below `from`, parents first; paths are relative. Returns the directories that were
 * not read: unreadable ones, names that are not UTF-8, and the first one beyond `max` entries.
 */
export function walkDirectories(
  root: string,
  max: number,
  visit: (path: string, entries: readonly WalkedEntry[]) => void,
  from = '',
): SkippedDirectory[] {
  const unwalked: SkippedDirectory[] = [];
  const open = [from];
  let seen = 0;
  // The array grows during the iteration.
  for (const path of open) {
    let entries: readonly WalkedEntry[];
    try {
      entries = readdirSync(`${root}/${path}`, { withFileTypes: true }).map(walkedEntry);
    } catch (error) {
      const why = skipReason(path, error);
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

/** Undefined for a directory that was removed meanwhile. */
function skipReason(path: string, error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      // A name with a replacement character does not exist under that name.
      return path.includes('\ufffd') ? 'its name is not UTF-8' : undefined;
    case 'ENOTDIR':
    case 'ELOOP':
      return undefined;
    case 'EACCES':
    case 'EPERM':
      return 'it cannot be read by this user';
    case 'ENAMETOOLONG':
      return 'its path is too long';
    default:
      return `it could not be read (${String(code ?? error)})`;
  }
}
