// Directories of a workspace that get their own mount because something in them is guarded. Pure.
import { isAnyAbove, isBelowAny, isWithin } from './path-text.ts';
import type { Ancestor, GuardKind } from './protection-types.ts';

export class GuardedDirectories {
  readonly #paths = new Set<string>();
  readonly #held = new Set<string>();
  readonly #whole = new Map<string, 'all' | 'others'>();
  readonly #git = new Set<string>();
  readonly #checkouts = new Set<string>();

  /** A git directory: it, and those of its worktrees and submodules, belong to the user. */
  addGit(path: string): void {
    this.#git.add(path);
  }

  /** The checkout of a submodule or another worktree: git checks the owner of that directory. */
  addCheckout(path: string): void {
    this.#checkouts.add(path);
  }

  /** Adds a directory and all above it, whether or not anything in it is guarded. */
  passThrough(path: string): void {
    const parts = path.split('/');
    for (let depth = 1; depth <= parts.length; depth += 1)
      this.#paths.add(parts.slice(0, depth).join('/'));
  }

  /** Its mount cannot be removed, and a group change reveals attempts. */
  lock(path: string): void {
    this.passThrough(path);
    this.#held.add(path);
  }

  /** Locked with everything in it. `others`: entries with their own mount stay writable. */
  lockTree(path: string, what: 'all' | 'others'): void {
    this.lock(path);
    this.#whole.set(path, what);
  }

  isTreeLocked(path: string): boolean {
    return this.#whole.has(path);
  }

  isInGit(path: string): boolean {
    return isBelowAny(path, this.#git);
  }

  /** Whether it is a git directory or contains one. */
  containsGit(path: string): boolean {
    return [...this.#git].some((git) => isWithin(git, path));
  }

  /** How to guard a directory that is not fully guarded: those in or above git directories must belong to the user. */
  guardOf(path: string): GuardKind {
    const isGit = isAnyAbove(path, (above, rest) => {
      const isIn = rest === '' || /^(?:worktrees|modules)(?:\/|$)/.test(rest);
      return isIn && this.#git.has(above);
    });
    return isGit || this.#checkouts.has(path) ? 'group' : 'owner';
  }

  paths(): ReadonlySet<string> {
    return this.#paths;
  }

  git(): string[] {
    return [...this.#git];
  }

  whole(): string[] {
    return [...this.#whole.keys()];
  }

  /** For the plan, parents first; without closed directories, which need no writable mount. */
  ancestors(isClosed: (path: string) => boolean): Ancestor[] {
    return [...this.#paths]
      .filter((path) => this.#whole.has(path) || !isClosed(path))
      .map((path) => this.#ancestor(path))
      .toSorted((one, other) => one.depth - other.depth);
  }

  #ancestor(path: string): Ancestor {
    const depth = path.split('/').length;
    const isHeld = this.#held.has(path);
    const isWhole = this.#whole.has(path);
    const by = isHeld && !isWhole ? 'group' : this.guardOf(path);
    const whole = isWhole ? { whole: true as const } : {};
    return {
      path,
      depth,
      by,
      inGit: this.isInGit(path),
      readonly: isHeld || this.#isInWhole(path),
      ...whole,
    };
  }

  #isInWhole(path: string): boolean {
    return [...this.#whole].some(([above, what]) => what === 'all' && isWithin(path, above));
  }
}
