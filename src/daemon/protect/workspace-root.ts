// The root of a guarded workspace. It is known by its device and inode: its user may move it while sessions run in it, and
// another directory may take its place.
import { closeSync, fstatSync, openSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { Below } from '../../host/fs/beneath.ts';
import { placesOfMounts } from '../../host/fs/meta/moved-directory.ts';
import { openWithoutLinks, type Source } from '../../host/fs/open-source.ts';
import { O_CLOEXEC, O_PATH_DIRECTORY } from '../../host/linux/constants.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { isUuid } from '../../names.ts';
import type { RemoteFiles } from '../mounts/remote-files.ts';
import type { GuardRecord } from './guard/record.ts';

const OPEN_TREE_CLONE = 1;

type Known = Pick<GuardRecord, 'root' | 'device' | 'inode' | 'bornMs' | 'boot' | 'users'>;

export interface FoundRoot extends Disposable {
  readonly below: Below;
  /** Where it lies now; where it lay, if nothing on this host leads there any more. */
  readonly path: string;
  readonly device: number;
  hold(): HeldRoot | undefined;
}

/**
 * Keeps a root open, wherever it is moved. As a mount of its own that has no place in any namespace: what is mounted where
 * the root lies can be unmounted all the same.
 */
export class HeldRoot implements Disposable {
  readonly #tree: number;

  private constructor(tree: number) {
    this.#tree = tree;
  }

  /** Undefined where the kernel makes no such mount: then its names alone lead there. */
  static of(libc: Pick<Libc, 'openTree'>, fd: number): HeldRoot | undefined {
    try {
      return new HeldRoot(libc.openTree(fd, OPEN_TREE_CLONE | O_CLOEXEC));
    } catch {
      return undefined;
    }
  }

  /** A descriptor of its own. */
  open(): number {
    return openSync(`/proc/self/fd/${this.#tree}`, O_PATH_DIRECTORY);
  }

  [Symbol.dispose](): void {
    closeSync(this.#tree);
  }
}

export interface RootParts {
  readonly libc: Libc;
  readonly files: Pick<RemoteFiles, 'isAnyHeld' | 'isHeld' | 'isHeldDevice'>;
  readonly runDir: string;
  /** Of this boot of the host. */
  readonly boot: string;
}

/** It lies, or may lie, where nothing answers: whoever opens it would wait. */
export function isHeldRoot({ files, runDir, boot }: RootParts, known: Known): boolean {
  // Where it lies is read from the whole table of mounts.
  if (!files.isAnyHeld) return false;
  if (known.boot === boot && files.isHeldDevice(known.device)) return true;
  return [known.root, ...movedTo(runDir, known.users)].some((path) => files.isHeld(path));
}

/**
 * By its name; else where the mounts of its sessions say that it lies now; else as it was held open. Undefined if it is
 * gone, or another is there now.
 */
export function openRoot(
  parts: RootParts,
  known: Known,
  held: HeldRoot | undefined,
): FoundRoot | undefined {
  const byName = openedAt(parts, known.root, known);
  if (byName) return byName;
  for (const path of new Set(movedTo(parts.runDir, known.users))) {
    const found = openedAt(parts, path, known);
    if (found) return found;
  }
  return held && foundRoot(parts.libc, held.open(), known.root);
}

/** Of what a session mounts of it, the directory above is the root where only git's directory is mounted. */
function movedTo(runDir: string, users: readonly string[]): string[] {
  return users
    .filter(isUuid)
    .flatMap((id) => placesOfMounts(join(runDir, 'mounts'), id))
    .flatMap((path) => [path, dirname(path)]);
}

function openedAt({ libc, boot }: RootParts, path: string, known: Known): FoundRoot | undefined {
  let source: Source;
  try {
    source = openWithoutLinks(libc, path);
  } catch {
    return undefined;
  }
  if (isRoot(known, source.stats, boot)) return foundRoot(libc, source.fd, path);
  closeSync(source.fd);
  return undefined;
}

/** Devices are numbered anew at each boot, and a file system gives the number of a removed directory to the next one. */
function isRoot({ device, inode, bornMs, boot: then }: Known, stats: Stats, boot: string): boolean {
  const { dev, ino, birthtimeMs } = stats;
  const isBorn = bornMs === undefined || bornMs === birthtimeMs;
  return ino === inode && isBorn && (then !== boot || dev === device);
}

function foundRoot(libc: Libc, fd: number, path: string): FoundRoot {
  const below = new Below(libc, fd);
  const { dev: device } = fstatSync(fd);
  return {
    below,
    path,
    device,
    hold: () => HeldRoot.of(libc, fd),
    [Symbol.dispose]: () => below[Symbol.dispose](),
  };
}
