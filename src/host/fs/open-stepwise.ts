// Opens a path step by step and decides about each link by its location: the user's links are followed, links below a
// directory that a container can write are not. Safe against concurrent renames.
import { closeSync, constants, fstatSync, readlinkSync, type Stats, statfsSync } from 'node:fs';
import { O_PATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from '../linux/constants.ts';
import type { Libc } from '../linux/libc.ts';
import { openBelow } from '../linux/open-below.ts';
import { type FileIds, type OpenSource, toSource, withFileIds } from './open-mount-source.ts';

/** A link lies where a container could have planted it. */
export class ForeignLinkError extends Error {
  /** The path of the link. */
  readonly link: string;
  /** The directory that a container can write, by the path used. */
  readonly tree: string;

  constructor(link: string, tree: string) {
    super(`${link} is a link below ${tree}`);
    this.name = 'ForeignLinkError';
    this.link = link;
    this.tree = tree;
  }
}

interface Step {
  readonly fd: number;
  readonly path: string;
  /** The outermost directory of the path that a container can write. */
  readonly tree: string | undefined;
}

const linksMax = 40;
const procFileSystem = 0x9fa0;

/**
 * Opens an absolute path with the rights of `ids`. No link is followed below a directory for which `isWritable` is true.
 * Throws ForeignLinkError, or an error with an errno `code`.
 */
export function openStepwise(
  libc: Libc,
  ids: FileIds,
  path: string,
  isWritable: (stats: Stats) => boolean,
): OpenSource {
  return withFileIds(libc, ids, () => {
    // A single call suffices if there is no link, which is nearly always.
    const flags = RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
    try {
      return toSource(() => libc.openat2(path, O_PATH, flags));
    } catch (error) {
      if ((error as { code?: string }).code !== 'ELOOP') throw error;
    }
    const way = new StepwiseWalk(libc, isWritable);
    try {
      return way.open(path);
    } finally {
      way.close();
    }
  });
}

/** Opens a relative path below an open directory without following any link. Throws an error with an errno `code`. */
export function openBeneath(libc: Libc, ids: FileIds, directory: number, path: string): OpenSource {
  const open = () => openBelow(libc, directory, path, { lastLink: 'refused' });
  return withFileIds(libc, ids, () => toSource(open));
}

class StepwiseWalk {
  readonly #libc: Libc;
  readonly #isWritable: (stats: Stats) => boolean;
  /** From the root down, all real directories, so that `..` is the previous one. */
  #steps: Step[] = [];

  constructor(libc: Libc, isWritable: (stats: Stats) => boolean) {
    this.#libc = libc;
    this.#isWritable = isWritable;
  }

  open(path: string): OpenSource {
    const ahead = path.split('/');
    let links = 0;
    this.#fromRoot();
    while (ahead.length > 0) {
      const name = ahead.shift() ?? '';
      if (name === '' || name === '.') continue;
      if (name === '..') {
        this.#up();
        continue;
      }
      const target = this.#down(name);
      if (target === undefined) continue;
      links += 1;
      if (links > linksMax) throw errnoError('ELOOP', path);
      if (target.startsWith('/')) this.#fromRoot();
      ahead.unshift(...target.split('/'));
    }
    const last = this.#steps.pop();
    if (last === undefined) throw errnoError('ENOENT', path);
    return toSource(() => last.fd);
  }

  close(): void {
    for (const { fd } of this.#steps) closeSync(fd);
    this.#steps = [];
  }

  #fromRoot(): void {
    this.close();
    this.#push(this.#libc.openat2('/', O_PATH, RESOLVE_NO_MAGICLINKS), '');
  }

  #up(): void {
    if (this.#steps.length === 1) return;
    const left = this.#steps.pop();
    if (left) closeSync(left.fd);
  }

  /** Enters the entry; if it is a link, returns its target instead. */
  #down(name: string): string | undefined {
    const parent = this.#last();
    const flags = O_PATH | constants.O_NOFOLLOW;
    const fd = this.#libc.openat2(name, flags, RESOLVE_NO_MAGICLINKS, parent.fd);
    const path = `${parent.path}/${name}`;
    let isLink = false;
    try {
      isLink = fstatSync(fd).isSymbolicLink();
      if (!isLink) {
        this.#push(fd, path);
        return undefined;
      }
      if (parent.tree !== undefined) throw new ForeignLinkError(path, parent.tree);
      // Links in /proc refer to open files, not to the path in their text.
      const directory = `/proc/self/fd/${parent.fd}`;
      if (statfsSync(directory).type === procFileSystem) throw errnoError('ELOOP', path);
      return readlinkSync(`${directory}/${name}`);
    } finally {
      if (isLink) closeSync(fd);
    }
  }

  #push(fd: number, path: string): void {
    const above = this.#steps.at(-1)?.tree;
    const tree = above ?? (this.#isWritable(fstatSync(fd)) ? path || '/' : undefined);
    this.#steps.push({ fd, path, tree });
  }

  #last(): Step {
    const last = this.#steps.at(-1);
    if (last === undefined) throw errnoError('ENOENT', '/');
    return last;
  }
}

function errnoError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
