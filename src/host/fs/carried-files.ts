// Files of the user's agent directory that are copied into a session: commands, skills, hooks and the like.
// Dotfile managers link such files to other directories, and one of those can be a workspace: user-path.ts decides which
// links are followed. The target is checked too: a link must not bring a key from ~/.ssh into a session.
import { closeSync, readlinkSync, realpathSync } from 'node:fs';
import type { Directory } from './directory.ts';
import { openRegularFile, readContent } from './file-content.ts';
import { FileError } from './file-error.ts';
import { openResolved, userPath } from './user/user-path.ts';

export interface CarriedFile {
  /** Relative to the agent's directory. */
  readonly path: string;
  readonly bytes: Buffer;
  readonly executable: boolean;
}

export interface CarryLimits {
  readonly files: number;
  readonly bytes: number;
  readonly fileBytes: number;
  readonly depth: number;
  /** Names that may be copied in parts when they are too large as a whole, with the directory depth of a part. */
  readonly parts?: Readonly<Record<string, number>>;
}

export interface CollectedFiles {
  readonly files: readonly CarriedFile[];
  /** One sentence for each skipped path. */
  readonly leftOut: readonly string[];
}

/** Large, and useless as a copy. */
const skipped = new Set(['.git', '.DS_Store', '__pycache__']);
/** Hidden directories of the home that commonly hold dotfiles. */
const dotfileDirectories = [
  ...['.dotfiles', '.agents', '.local/share/chezmoi', '.local/share/yadm'],
  ...['.config/home-manager', '.config/nixpkgs', '.config/yadm'],
];

/** Directories outside the home that only root writes and that hold no secrets. */
const systemDirectories = ['/nix/store/', '/usr/share/', '/usr/local/share/'];

interface Walk {
  readonly home: string;
  /** The home with links resolved. */
  readonly real: string;
  /** The agent's directory, relative to the home. */
  readonly directory: string;
  readonly limits: CarryLimits;
  readonly files: CarriedFile[];
  readonly leftOut: string[];
  bytes: number;
  /** Set when the current name exceeds the limits. */
  full: boolean;
}

/** Reads those names with everything below them. A name that exceeds the limits is skipped, as a whole or in parts. */
export function collectCarriedFiles(
  home: string,
  directory: string,
  names: readonly string[],
  limits: CarryLimits,
): CollectedFiles {
  const walk: Walk = {
    home,
    real: realHome(home),
    directory,
    limits,
    files: [],
    leftOut: [],
    bytes: 0,
    full: false,
  };
  for (const name of names) collectName(walk, name, partDepthBelow(name, limits));
  const seen = new Set<string>();
  const files = walk.files.filter(({ path }) => !seen.has(path) && seen.add(path));
  return { files, leftOut: walk.leftOut };
}

function partDepthBelow(name: string, { parts = {} }: CarryLimits): number {
  const [top = '', ...below] = name.split('/');
  return Math.max(0, (parts[top] ?? 0) - below.length);
}

/** Takes all of a name, or as many of its parts as fit, smallest first; half a part is worse than none. */
function collectName(walk: Walk, name: string, parts: number): void {
  const { files, leftOut, bytes } = walk;
  const [filesBefore, leftOutBefore] = [files.length, leftOut.length];
  collectEntry(walk, name, 0);
  if (!walk.full) return;
  walk.full = false;
  walk.bytes = bytes;
  files.length = filesBefore;
  leftOut.length = leftOutBefore;
  const inside = listParts(walk, name, parts).toSorted(
    (one, other) => one.count - other.count || (one.part < other.part ? -1 : 1),
  );
  if (inside.length === 0) leftOut.push(`${walk.directory}/${name} is too large for a session`);
  for (const { part } of inside) collectName(walk, part, 0);
}

interface Part {
  readonly part: string;
  readonly count: number;
}

/** The directories at that depth, and the files above them. */
function listParts(walk: Walk, name: string, parts: number): Part[] {
  const found: Part[] = [];
  if (parts === 0) return found;
  skipOnFileError(walk, () => {
    const path = userPath(walk.home, `${walk.directory}/${name}`);
    using opened = path === undefined ? undefined : openIfDirectory(path, displayPath(walk, name));
    for (const { name: entry, kind } of opened?.entries() ?? []) {
      // More than the limit would not be taken anyway.
      if (found.length > walk.limits.files) break;
      if (skipped.has(entry)) continue;
      const part = `${name}/${entry}`;
      const below = kind === 'directory' && parts > 1 ? listParts(walk, part, parts - 1) : [];
      if (below.length > 0) found.push(...below);
      else
        found.push({ part, count: kind === 'directory' ? countEntries(walk, opened, entry) : 1 });
    }
  });
  return found;
}

/** The number of entries below a directory; stops above the file limit. */
function countEntries(walk: Walk, above: Directory | undefined, name: string, depth = 0): number {
  let count = 0;
  skipOnFileError(walk, () => {
    using opened = above?.openDirectory(name);
    for (const { name: entry, kind } of opened?.entries() ?? []) {
      if (count > walk.limits.files) return;
      if (skipped.has(entry)) continue;
      count += 1;
      if (kind === 'directory' && depth < walk.limits.depth)
        count += countEntries(walk, opened, entry, depth + 1);
    }
  });
  return count;
}

/** Takes one name, which may be a link that the user made. */
function collectEntry(walk: Walk, name: string, depth: number): void {
  skipOnFileError(walk, () => {
    const relative = `${walk.directory}/${name}`;
    const path = userPath(walk.home, relative);
    if (path === undefined) return;
    if (!isAllowedTarget(walk, path))
      throw new FileError(
        'link',
        displayPath(walk, name),
        'is a link to a path that may hold secrets',
      );
    using opened = openIfDirectory(path, displayPath(walk, name));
    if (opened) collectDirectory(walk, opened, name, depth, path !== `${walk.real}/${relative}`);
    else collectFile(walk, path, name);
  });
}

function collectDirectory(
  walk: Walk,
  opened: Directory,
  name: string,
  depth: number,
  throughLink: boolean,
): void {
  if (depth >= walk.limits.depth)
    throw new FileError('too-many', displayPath(walk, name), 'is nested too deep');
  for (const { name: entry, kind } of opened.entries()) {
    if (walk.full) return;
    if (skipped.has(entry)) continue;
    const inner = `${name}/${entry}`;
    if (kind === 'file')
      skipOnFileError(walk, () => collectFile(walk, opened.fdPath(entry), inner));
    else if (kind === 'directory')
      skipOnFileError(walk, () => {
        using next = opened.openDirectory(entry);
        if (next) collectDirectory(walk, next, inner, depth + 1, throughLink);
      });
    else if (kind === 'link' && !throughLink) collectEntry(walk, inner, depth + 1);
    else walk.leftOut.push(`${displayPath(walk, inner)} is a ${kind}`);
  }
}

function collectFile(walk: Walk, path: string, name: string): void {
  const fd = openRegularFile(path, displayPath(walk, name));
  if (fd === undefined) return;
  try {
    if (!path.startsWith('/proc/self/fd/') && readlinkSync(`/proc/self/fd/${fd}`) !== path)
      throw new FileError('failed', displayPath(walk, name), 'was moved while it was being opened');
    const { bytes, mode } = readContent(fd, displayPath(walk, name), walk.limits.fileBytes);
    walk.bytes += bytes.length;
    walk.files.push({ path: name, bytes, executable: (mode & 0o100) !== 0 });
    if (walk.files.length > walk.limits.files || walk.bytes > walk.limits.bytes) walk.full = true;
  } finally {
    closeSync(fd);
  }
}

/** Undefined if the path is not a directory. */
function openIfDirectory(path: string, shownAs: string): Directory | undefined {
  try {
    return openResolved(path, { shown: shownAs, asked: shownAs });
  } catch (error) {
    if (error instanceof FileError && error.reason === 'file') return undefined;
    throw error;
  }
}

/**
 * Whether agent files may come from that path: from the user's home outside hidden directories (except those of the
 * agent and of dotfiles), or from a system directory. Anything else may be a secret.
 */
function isAllowedTarget({ real, directory }: Walk, path: string): boolean {
  const own = directory.split('/');
  if (!path.startsWith(`${real}/`))
    return systemDirectories.some((place) => path.startsWith(place));
  const relative = path.slice(real.length + 1);
  const place = [directory, ...dotfileDirectories].find((one) => relative.startsWith(`${one}/`));
  const below = place === undefined ? relative : relative.slice(place.length + 1);
  if (place === undefined && relative.startsWith('.')) return false;
  return !hasHiddenPart(below.split('/'), own);
}

/** Whether any part is hidden, other than the name of the agent's own directory. */
function hasHiddenPart(parts: readonly string[], own: readonly string[]): boolean {
  return parts.some((part) => part.startsWith('.') && !own.includes(part) && part !== '.agents');
}

function realHome(home: string): string {
  try {
    return realpathSync(home);
  } catch {
    return home;
  }
}

function displayPath({ home, directory }: Walk, name: string): string {
  return `${home}/${directory}/${name}`;
}

/** Reports a FileError as a skipped path, so that the rest is still taken. */
function skipOnFileError(walk: Walk, effect: () => void): void {
  try {
    effect();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    walk.leftOut.push(error.message);
  }
}
