// Opens a path step by step, so that the links on the way are judged where they stand: those of the user are followed,
// those below a directory that a container can write are not, whoever swaps what while this goes on.
import { closeSync, constants, fstatSync, readlinkSync, type Stats, statfsSync } from 'node:fs';
import { O_PATH, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS } from '../linux/constants.ts';
import type { Libc } from '../linux/libc.ts';
import { openBelow } from '../linux/open-below.ts';
import { type FileIds, openNow, type Source, withIds } from './open-source.ts';

/** A link stands where some container could have placed it. */
export class ForeignLinkError extends Error {
  /** Where it stands. */
  readonly link: string;
  /** The directory that a container can write, as it was reached. */
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
  /** The outermost directory on the way that a container can write. */
  readonly tree: string | undefined;
}

const linksMax = 40;
const procFileSystem = 0x9fa0;

/**
 * Opens an absolute path with the rights of `ids`. `isWritable` tells the directories from which on no link is followed.
 * Throws ForeignLinkError, or an error with an errno `code`.
 */
export function openStepwise(
  libc: Libc,
  ids: FileIds,
  path: string,
  isWritable: (stats: Stats) => boolean,
): Source {
  return withIds(libc, ids, () => {
    // One call where there is no link at all, which is nearly always.
    const flags = RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
    try {
      return openNow(() => libc.openat2(path, O_PATH, flags));
    } catch (error) {
      if ((error as { code?: string }).code !== 'ELOOP') throw error;
    }
    const way = new Way(libc, isWritable);
    try {
      return way.to(path);
    } finally {
      way.close();
    }
  });
}

/** Opens a relative path below an opened directory, through no link at all. Throws an error with an errno `code`. */
export function openBeneath(libc: Libc, ids: FileIds, directory: number, path: string): Source {
  const open = () => openBelow(libc, directory, path, { lastLink: 'refused' });
  return withIds(libc, ids, () => openNow(open));
}

class Way {
  readonly #libc: Libc;
  readonly #isWritable: (stats: Stats) => boolean;
  /** From the root down: all real directories, so that `..` is the one before. */
  #steps: Step[] = [];

  constructor(libc: Libc, isWritable: (stats: Stats) => boolean) {
    this.#libc = libc;
    this.#isWritable = isWritable;
  }

  to(path: string): Source {
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
      if (links > linksMax) throw failed('ELOOP', path);
      if (target.startsWith('/')) this.#fromRoot();
      ahead.unshift(...target.split('/'));
    }
    const last = this.#steps.pop();
    if (last === undefined) throw failed('ENOENT', path);
    return openNow(() => last.fd);
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

  /** Enters what has that name; if it is a link, gives its text instead. */
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
      // The kernel's own links lead to what a process has open, not to where their text says.
      const directory = `/proc/self/fd/${parent.fd}`;
      if (statfsSync(directory).type === procFileSystem) throw failed('ELOOP', path);
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
    if (last === undefined) throw failed('ENOENT', '/');
    return last;
  }
}

function failed(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
