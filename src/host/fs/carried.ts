// Files of the user's own agent directory that a session gets copies of: commands, skills, hooks and their like.
// The directory may be kept elsewhere by links (dotfiles), and such a place can be a workspace: user-path.ts says which
// links are followed. Where they lead is judged as well: a link must not bring a key of ~/.ssh into a session.
import { closeSync, readlinkSync, realpathSync } from 'node:fs';
import type { Directory } from './directory.ts';
import { contentOf, openedFile } from './file-content.ts';
import { FileError } from './file-error.ts';
import { openedAsNamed, userPath } from './user/user-path.ts';

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
  /** Names of which parts come where the whole is too much, each with how many directories deep a part lies. */
  readonly parts?: Readonly<Record<string, number>>;
}

export interface Collected {
  readonly files: readonly CarriedFile[];
  /** What was left out, one sentence each. */
  readonly leftOut: readonly string[];
}

/** What nobody would want to have twice, and is large. */
const skipped = new Set(['.git', '.DS_Store', '__pycache__']);
/** Hidden directories right in the home in which people keep their dotfiles. */
const dotfilePlaces = [
  ...['.dotfiles', '.agents', '.local/share/chezmoi', '.local/share/yadm'],
  ...['.config/home-manager', '.config/nixpkgs', '.config/yadm'],
];

/** Places outside of the home where only root writes, and nothing secret is. */
const systemPlaces = ['/nix/store/', '/usr/share/', '/usr/local/share/'];

interface Walk {
  readonly home: string;
  /** The home without links. */
  readonly real: string;
  /** The agent's directory, relative to the home. */
  readonly directory: string;
  readonly limits: CarryLimits;
  readonly files: CarriedFile[];
  readonly leftOut: string[];
  bytes: number;
  /** Set when the names that are read now ask for too much. */
  full: boolean;
}

/** Reads what those names lead to, each with all that is below it; too much of it is left out, as a whole or in parts. */
export function collectCarried(
  home: string,
  directory: string,
  names: readonly string[],
  limits: CarryLimits,
): Collected {
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
  for (const name of names) takeWhole(walk, name, partsBelow(name, limits));
  const seen = new Set<string>();
  const files = walk.files.filter(({ path }) => !seen.has(path) && seen.add(path));
  return { files, leftOut: walk.leftOut };
}

function partsBelow(name: string, { parts = {} }: CarryLimits): number {
  const [top = '', ...below] = name.split('/');
  return Math.max(0, (parts[top] ?? 0) - below.length);
}

/** All of a name, or as many of its parts as there is room for, the smallest first; half a part is worse than none. */
function takeWhole(walk: Walk, name: string, parts: number): void {
  const { files, leftOut, bytes } = walk;
  const [filesBefore, leftOutBefore] = [files.length, leftOut.length];
  take(walk, name, 0);
  if (!walk.full) return;
  walk.full = false;
  walk.bytes = bytes;
  files.length = filesBefore;
  leftOut.length = leftOutBefore;
  const inside = partsOf(walk, name, parts).toSorted(
    (one, other) => one.count - other.count || (one.part < other.part ? -1 : 1),
  );
  if (inside.length === 0) leftOut.push(`${walk.directory}/${name} is more than a session gets`);
  for (const { part } of inside) takeWhole(walk, part, 0);
}

interface Part {
  readonly part: string;
  readonly count: number;
}

/** The directories that far below, and the files above them. */
function partsOf(walk: Walk, name: string, parts: number): Part[] {
  const found: Part[] = [];
  if (parts === 0) return found;
  told(walk, () => {
    const path = userPath(walk.home, `${walk.directory}/${name}`);
    using opened = path === undefined ? undefined : openedDirectory(path, shown(walk, name));
    for (const { name: entry, kind } of opened?.entries() ?? []) {
      // More than all that is taken is not listed.
      if (found.length > walk.limits.files) break;
      if (skipped.has(entry)) continue;
      const part = `${name}/${entry}`;
      const below = kind === 'directory' && parts > 1 ? partsOf(walk, part, parts - 1) : [];
      if (below.length > 0) found.push(...below);
      else found.push({ part, count: kind === 'directory' ? countIn(walk, opened, entry) : 1 });
    }
  });
  return found;
}

/** Entries in a directory and below it, up to more than is taken. */
function countIn(walk: Walk, above: Directory | undefined, name: string, depth = 0): number {
  let count = 0;
  told(walk, () => {
    using opened = above?.directory(name);
    for (const { name: entry, kind } of opened?.entries() ?? []) {
      if (count > walk.limits.files) return;
      if (skipped.has(entry)) continue;
      count += 1;
      if (kind === 'directory' && depth < walk.limits.depth)
        count += countIn(walk, opened, entry, depth + 1);
    }
  });
  return count;
}

/** One name, that may be a link of the user's. */
function take(walk: Walk, name: string, depth: number): void {
  told(walk, () => {
    const relative = `${walk.directory}/${name}`;
    const path = userPath(walk.home, relative);
    if (path === undefined) return;
    if (!mayLead(walk, path))
      throw new FileError('link', shown(walk, name), 'is a link to where no agent files are kept');
    using opened = openedDirectory(path, shown(walk, name));
    if (opened) enter(walk, opened, name, depth, path !== `${walk.real}/${relative}`);
    else takeFile(walk, path, name);
  });
}

function enter(
  walk: Walk,
  opened: Directory,
  name: string,
  depth: number,
  throughLink: boolean,
): void {
  if (depth >= walk.limits.depth)
    throw new FileError('too-many', shown(walk, name), 'is nested too deep');
  for (const { name: entry, kind } of opened.entries()) {
    if (walk.full) return;
    if (skipped.has(entry)) continue;
    const inner = `${name}/${entry}`;
    if (kind === 'file') told(walk, () => takeFile(walk, opened.at(entry), inner));
    else if (kind === 'directory')
      told(walk, () => {
        using next = opened.directory(entry);
        if (next) enter(walk, next, inner, depth + 1, throughLink);
      });
    else if (kind === 'link' && !throughLink) take(walk, inner, depth + 1);
    else walk.leftOut.push(`${shown(walk, inner)} is a ${kind}`);
  }
}

function takeFile(walk: Walk, path: string, name: string): void {
  const fd = openedFile(path, shown(walk, name));
  if (fd === undefined) return;
  try {
    if (!path.startsWith('/proc/self/fd/') && readlinkSync(`/proc/self/fd/${fd}`) !== path)
      throw new FileError('failed', shown(walk, name), 'was moved while it was being opened');
    const { bytes, mode } = contentOf(fd, shown(walk, name), walk.limits.fileBytes);
    walk.bytes += bytes.length;
    walk.files.push({ path: name, bytes, executable: (mode & 0o100) !== 0 });
    if (walk.files.length > walk.limits.files || walk.bytes > walk.limits.bytes) walk.full = true;
  } finally {
    closeSync(fd);
  }
}

/** A directory, or undefined where it is something else. */
function openedDirectory(path: string, shownAs: string): Directory | undefined {
  try {
    return openedAsNamed(path, { shown: shownAs, asked: shownAs });
  } catch (error) {
    if (error instanceof FileError && error.reason === 'file') return undefined;
    throw error;
  }
}

/**
 * Whether files of an agent may be kept there: in the user's home outside of hidden directories, but for those of the
 * agent and of dotfiles; or in places of the system. Everything else may be a secret.
 */
function mayLead({ real, directory }: Walk, path: string): boolean {
  const own = directory.split('/');
  if (!path.startsWith(`${real}/`)) return systemPlaces.some((place) => path.startsWith(place));
  const relative = path.slice(real.length + 1);
  const place = [directory, ...dotfilePlaces].find((one) => relative.startsWith(`${one}/`));
  const below = place === undefined ? relative : relative.slice(place.length + 1);
  if (place === undefined && relative.startsWith('.')) return false;
  return !hidden(below.split('/'), own);
}

/** Parts that are hidden, but for what the agent's directory itself is called. */
function hidden(parts: readonly string[], own: readonly string[]): boolean {
  return parts.some((part) => part.startsWith('.') && !own.includes(part) && part !== '.agents');
}

function realHome(home: string): string {
  try {
    return realpathSync(home);
  } catch {
    return home;
  }
}

function shown({ home, directory }: Walk, name: string): string {
  return `${home}/${directory}/${name}`;
}

/** What cannot be taken is told, and does not keep the rest. */
function told(walk: Walk, effect: () => void): void {
  try {
    effect();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    walk.leftOut.push(error.message);
  }
}
