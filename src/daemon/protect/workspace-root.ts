// The root of a guarded workspace, identified by device and inode: users may move it while sessions run in it, and
// another directory may take its place.
import { closeSync, fstatSync, openSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { Beneath } from '../../host/fs/beneath.ts';
import { pathsOfMounts } from '../../host/fs/meta/moved-directory.ts';
import { type OpenSource, openWithoutLinks } from '../../host/fs/open-mount-source.ts';
import { O_CLOEXEC, O_PATH_DIRECTORY } from '../../host/linux/constants.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { isUuid } from '../../names.ts';
import type { RemoteFileSystems } from '../mounts/remote-file-systems.ts';
import type { GuardRecord } from './guard/record.ts';

const OPEN_TREE_CLONE = 1;

type RootIdentity = Pick<GuardRecord, 'root' | 'device' | 'inode' | 'bornMs' | 'boot' | 'users'>;

export interface FoundRoot extends Disposable {
  readonly below: Beneath;
  /** Its current path, or the last known one if no path on this host leads to it. */
  readonly path: string;
  readonly device: number;
  hold(): HeldRoot | undefined;
}

/**
 * Keeps a root open wherever it is moved. It is a detached mount outside of any namespace, so the file system under the
 * root can still be unmounted.
 */
export class HeldRoot implements Disposable {
  readonly #tree: number;

  private constructor(tree: number) {
    this.#tree = tree;
  }

  /** Undefined if the kernel does not support this: the root is then only found by name. */
  static of(libc: Pick<Libc, 'openTree'>, fd: number): HeldRoot | undefined {
    try {
      return new HeldRoot(libc.openTree(fd, OPEN_TREE_CLONE | O_CLOEXEC));
    } catch {
      return undefined;
    }
  }

  /** Returns a new descriptor, which the caller has to close. */
  open(): number {
    return openSync(`/proc/self/fd/${this.#tree}`, O_PATH_DIRECTORY);
  }

  [Symbol.dispose](): void {
    closeSync(this.#tree);
  }
}

export interface RootParts {
  readonly libc: Libc;
  readonly files: Pick<
    RemoteFileSystems,
    'isAnyUnresponsive' | 'isUnresponsive' | 'isUnresponsiveDevice'
  >;
  readonly runDir: string;
  /** Id of the current boot. */
  readonly boot: string;
}

/** The root lies, or may lie, on an unresponsive file system: opening it would block. */
export function isRootUnresponsive(
  { files, runDir, boot }: RootParts,
  known: RootIdentity,
): boolean {
  // Cheap check first: finding the file system reads the whole mount table.
  if (!files.isAnyUnresponsive) return false;
  if (known.boot === boot && files.isUnresponsiveDevice(known.device)) return true;
  return [known.root, ...currentPaths(runDir, known.users)].some((path) =>
    files.isUnresponsive(path),
  );
}

/**
 * Opens the root by name, else where the mounts of its sessions show it, else through `held`. Undefined if it is gone or
 * replaced.
 */
export function openRoot(
  parts: RootParts,
  known: RootIdentity,
  held: HeldRoot | undefined,
): FoundRoot | undefined {
  const byName = openAt(parts, known.root, known);
  if (byName) return byName;
  for (const path of new Set(currentPaths(parts.runDir, known.users))) {
    const found = openAt(parts, path, known);
    if (found) return found;
  }
  return held && foundRoot(parts.libc, held.open(), known.root);
}

/** Current paths of a session's mounts and their parents: if only the git directory is mounted, its parent is the root. */
function currentPaths(runDir: string, users: readonly string[]): string[] {
  return users
    .filter(isUuid)
    .flatMap((id) => pathsOfMounts(join(runDir, 'mounts'), id))
    .flatMap((path) => [path, dirname(path)]);
}

function openAt(
  { libc, boot }: RootParts,
  path: string,
  known: RootIdentity,
): FoundRoot | undefined {
  let source: OpenSource;
  try {
    source = openWithoutLinks(libc, path);
  } catch {
    return undefined;
  }
  if (isRoot(known, source.stats, boot)) return foundRoot(libc, source.fd, path);
  closeSync(source.fd);
  return undefined;
}

/** Device numbers change at each boot, and file systems reuse inode numbers. */
function isRoot(
  { device, inode, bornMs, boot: then }: RootIdentity,
  stats: Stats,
  boot: string,
): boolean {
  const { dev, ino, birthtimeMs } = stats;
  const isBorn = bornMs === undefined || bornMs === birthtimeMs;
  return ino === inode && isBorn && (then !== boot || dev === device);
}

function foundRoot(libc: Libc, fd: number, path: string): FoundRoot {
  const below = new Beneath(libc, fd);
  const { dev: device } = fstatSync(fd);
  return {
    below,
    path,
    device,
    hold: () => HeldRoot.of(libc, fd),
    [Symbol.dispose]: () => below[Symbol.dispose](),
  };
}
