// Watches directories of a workspace for replaced or new entries that have to be guarded.
import { type FSWatcher, fstatSync, type Stats, watch } from 'node:fs';
import type { Beneath } from '../../host/fs/beneath.ts';
import type { ProtectionPlan } from '../../session/protect/protection-types.ts';
import { foldedName } from '../../session/store/case-folding.ts';

type Inode = Pick<Stats, 'ino' | 'birthtimeMs'>;

interface WatchedDirectory {
  readonly inode: Inode;
  readonly watcher: FSWatcher;
}

/** Polling interval if the kernel has no watch left; all of root's count together, including those in containers. */
const blindMs = 1000;
const noWatchLeft: readonly unknown[] = ['EMFILE', 'ENFILE', 'ENOSPC', 'ENOMEM'];

export class Watchers {
  readonly #changed: () => void;
  readonly #watch: typeof watch;
  readonly #watched = new Map<string, WatchedDirectory>();
  #isBlind = false;
  #poll: NodeJS.Timeout | undefined;

  /** Calls `changed` for every relevant event, and each second while a directory cannot be watched. */
  constructor(changed: () => void, watchDirectory: typeof watch = watch) {
    this.#changed = changed;
    this.#watch = watchDirectory;
  }

  /**
   * Watches what the plan needs, and everything in `directories`. True if a watch is new: earlier changes need a check.
   */
  update(plan: ProtectionPlan, directories: readonly string[], below: Beneath): boolean {
    const wanted = wantedDirectories(plan);
    for (const path of directories) wanted.set(path, undefined);
    let fresh = false;
    this.#isBlind = false;
    for (const [path, { inode, watcher }] of [...this.#watched]) {
      if (wanted.has(path) && isSame(below.stats(path), inode)) continue;
      watcher.close();
      this.#watched.delete(path);
    }
    for (const [path, names] of wanted) {
      if (this.#watched.has(path)) continue;
      fresh = this.#add(path, names, below) || fresh;
    }
    clearTimeout(this.#poll);
    if (this.#isBlind) this.#poll = setTimeout(this.#changed, blindMs).unref();
    return fresh;
  }

  close(): void {
    clearTimeout(this.#poll);
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #add(path: string, names: ReadonlySet<string> | undefined, below: Beneath): boolean {
    const made = below.with(path, (fd) => {
      const inode = fstatSync(fd);
      if (!inode.isDirectory()) return false;
      const watcher = this.#watcherOf(`/proc/self/fd/${fd}`, (name) => {
        if (names === undefined || name === null || names.has(foldedName(name))) this.#changed();
      });
      if (!watcher) return false;
      // The directory was removed: its parent's watch reports that.
      watcher.on('error', () => this.#watched.delete(path));
      this.#watched.set(path, { inode, watcher });
      return true;
    });
    return made ?? false;
  }

  #watcherOf(path: string, onChange: (name: string | null) => void): FSWatcher | undefined {
    try {
      return this.#watch(path, { persistent: false }, (_, name) => onChange(name));
    } catch (error) {
      if (!noWatchLeft.includes((error as NodeJS.ErrnoException).code)) throw error;
      this.#isBlind = true;
      return undefined;
    }
  }
}

function isSame(one: Inode | undefined, other: Inode): boolean {
  return one?.ino === other.ino && one.birthtimeMs === other.birthtimeMs;
}

/** Directories with the relevant names in each, case-folded as the file system may ignore case; undefined: all names. */
function wantedDirectories(plan: ProtectionPlan): Map<string, ReadonlySet<string> | undefined> {
  const paths = [...plan.ancestors, ...plan.leaves].map(({ path }) => path).concat(plan.missing);
  const names = (directory: string) => {
    const head = directory === '.' ? '' : `${directory}/`;
    const inside = paths.filter((path) => path.startsWith(head));
    return new Set(inside.map((path) => foldedName(path.slice(head.length).split('/')[0] ?? '')));
  };
  // All parents: any of them may be created first.
  const parents = plan.missing.flatMap((path) => {
    const parts = path.split('/').slice(0, -1);
    return parts.map((_, depth) => parts.slice(0, depth + 1).join('/'));
  });
  const wanted = new Map<string, ReadonlySet<string> | undefined>();
  for (const path of ['.', ...plan.ancestors.map((ancestor) => ancestor.path), ...parents])
    wanted.set(path, names(path));
  for (const { path, kind } of plan.leaves)
    if (kind === 'tree' || kind === 'sealed') wanted.set(path, undefined);
  return wanted;
}
