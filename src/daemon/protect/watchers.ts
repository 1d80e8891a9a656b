// Directories of a workspace in which something may be replaced or made that has to be guarded.
import { type FSWatcher, watch } from 'node:fs';
import type { Below } from '../../host/guarded.ts';
import type { ProtectionPlan } from '../../session/protect.ts';

interface Watched {
  readonly inode: number;
  readonly watcher: FSWatcher;
}

export class Watchers {
  readonly #changed: () => void;
  readonly #watched = new Map<string, Watched>();

  /** `changed` is called for every event that may matter. */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** Watches what that plan needs. True if a watch is new: what happened before it has to be looked for. */
  follow(plan: ProtectionPlan, below: Below): boolean {
    const wanted = wantedDirectories(plan);
    let fresh = false;
    for (const [path, { inode, watcher }] of [...this.#watched]) {
      if (wanted.has(path) && below.stats(path)?.ino === inode) continue;
      watcher.close();
      this.#watched.delete(path);
    }
    for (const [path, names] of wanted) {
      if (this.#watched.has(path)) continue;
      fresh = this.#add(path, names, below) || fresh;
    }
    return fresh;
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #add(path: string, names: ReadonlySet<string> | undefined, below: Below): boolean {
    const inode = below.stats(path)?.ino;
    if (inode === undefined) return false;
    const made = below.with(path, (fd) => {
      const watcher = watch(`/proc/self/fd/${fd}`, { persistent: false }, (_, name) => {
        if (names === undefined || name === null || names.has(name)) this.#changed();
      });
      // The directory was removed: the one above tells.
      watcher.on('error', () => this.#watched.delete(path));
      this.#watched.set(path, { inode, watcher });
      return true;
    });
    return made ?? false;
  }
}

/** Each with the names that matter in it; undefined: all. */
function wantedDirectories(plan: ProtectionPlan): Map<string, ReadonlySet<string> | undefined> {
  const paths = [...plan.ancestors, ...plan.leaves].map(({ path }) => path).concat(plan.missing);
  const names = (directory: string) => {
    const head = directory === '.' ? '' : `${directory}/`;
    const inside = paths.filter((path) => path.startsWith(head));
    return new Set(inside.map((path) => path.slice(head.length).split('/')[0] ?? ''));
  };
  const parents = plan.missing.map((path) =>
    path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.',
  );
  const wanted = new Map<string, ReadonlySet<string> | undefined>();
  for (const path of ['.', ...plan.ancestors.map((ancestor) => ancestor.path), ...parents])
    wanted.set(path, names(path));
  for (const { path, kind } of plan.leaves) if (kind !== 'file') wanted.set(path, undefined);
  return wanted;
}
