// The directories of a workspace that get a mount of their own, since something in them is guarded, and how each is. Pure.
import { isAnyAbove, isBelowAny, isWithin } from './path-text.ts';
import type { Ancestor, GuardKind } from './protection-types.ts';

export class GuardedDirectories {
  readonly #paths = new Set<string>();
  readonly #held = new Set<string>();
  readonly #whole = new Map<string, 'all' | 'others'>();
  readonly #git = new Set<string>();
  readonly #checkouts = new Set<string>();

  /** A directory of git: it and those of worktrees and submodules in it belong to the user. */
  addGit(path: string): void {
    this.#git.add(path);
  }

  /** Where a submodule or another worktree is checked out: git looks at the owner of that directory. */
  addCheckout(path: string): void {
    this.#checkouts.add(path);
  }

  /** It and all above it, whatever is guarded in it. */
  pass(path: string): void {
    const parts = path.split('/');
    for (let depth = 1; depth <= parts.length; depth += 1)
      this.#paths.add(parts.slice(0, depth).join('/'));
  }

  /** Nobody can take its mount away, and its group tells who tries. */
  hold(path: string): void {
    this.pass(path);
    this.#held.add(path);
  }

  /** Held with all that is in it. `others`: what has a mount of its own in it can be written in. */
  holdWhole(path: string, what: 'all' | 'others'): void {
    this.hold(path);
    this.#whole.set(path, what);
  }

  isHeldWhole(path: string): boolean {
    return this.#whole.has(path);
  }

  isInGit(path: string): boolean {
    return isBelowAny(path, this.#git);
  }

  /** A directory of git lies in it, or it is one. */
  holdsGit(path: string): boolean {
    return [...this.#git].some((git) => isWithin(git, path));
  }

  /** Of one that is not guarded as a whole: those that are, or hold, directories of git belong to the user. */
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

  /** As the plan has them, those above first; without what is closed, and needs no mount to write through. */
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
