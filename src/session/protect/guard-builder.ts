// Collects the guarded entries of a workspace: each path with its links, their targets and the directories above. Pure.
import { GuardedDirectories } from './guarded-directories.ts';
import { isBelowAny } from './path-text.ts';
import { type TreeFacts, type WalkEnd, walkPath } from './path-walk.ts';
import type { Leaf, Placeholder, ProtectionPlan, RefusedPath } from './protection-types.ts';
import { TreeBudget } from './tree-budget.ts';

export type PlaceholderContent = Omit<Placeholder, 'path'>;

type FoundEntry = Extract<WalkEnd, { kind: 'inside' }> & { readonly linked: boolean };

/** Limit for all links on the way to guarded paths: an agent can chain links so that each leads through forty others. */
const followedMax = 5000;

/** The first decision on a path wins, unless a later one is stricter. */
export class GuardBuilder {
  readonly #facts: TreeFacts;
  readonly #directories = new GuardedDirectories();
  readonly #leaves = new Map<string, Leaf>();
  readonly #placeholders: Placeholder[] = [];
  readonly #missing = new Set<string>();
  readonly #refused = new Map<string, RefusedPath>();
  readonly #trees = new Set<string>();
  readonly #names = new Map<string, string>();
  readonly #budget: TreeBudget;
  #followed = 0;
  #key: string | undefined;
  #isForLink = false;

  constructor(facts: TreeFacts) {
    this.#facts = facts;
    this.#budget = new TreeBudget(facts);
  }

  /** A git directory: it, and those of its worktrees and submodules, belong to the user. */
  addGit(path: string): void {
    this.#directories.addGit(path);
  }

  /** The checkout of a submodule or another worktree: git checks the owner of that directory. */
  addCheckout(path: string): void {
    this.#directories.addCheckout(path);
  }

  /** `asked` is the configured path that led here. */
  protect(path: string, asked = path): void {
    const found = this.followPath(path, asked);
    if (found) this.guard(found, asked);
  }

  /** Guards the links on the way. Returns the target in the workspace; undefined if it is outside. */
  followPath(path: string, asked = path): FoundEntry | undefined {
    if (this.#followed > followedMax) return undefined;
    const { links, passed, end } = walkPath(this.#facts, path);
    this.#followed += links.length;
    if (this.#followed > followedMax) this.refuse({ path, why: 'links', asked });
    for (const link of links) this.#add({ path: link, kind: 'link', by: 'owner' });
    for (const directory of passed) this.passThrough(directory);
    if (end.kind === 'stuck') this.refuse({ path: end.link, why: end.why, asked });
    return end.kind === 'inside' ? { ...end, linked: links.length > 0 } : undefined;
  }

  guard({ path, is, linked }: FoundEntry, asked: string): void {
    if (is === 'missing') {
      if (linked || !this.#directories.isInGit(path)) this.#missing.add(path);
    } else if (is !== 'file' && is !== 'directory') this.refuse({ path, why: 'other', asked });
    else if (linked && asked !== '.git' && this.#isTooMuch(path))
      this.refuse({ path, why: 'workspace', asked });
    // Git checks the owner of a worktree's file `.git`.
    else if (is === 'file' && path === '.git') this.lockFile(path);
    else if (is === 'file') this.#add({ path, kind: 'file', by: 'owner' });
    else if (!this.#isInTree(path)) this.#guardDirectory(path, asked, linked);
  }

  /** Guards entries one by one, or a large directory as a whole: an agent may have created a missing directory and filled it. */
  #guardDirectory(path: string, asked: string, linked: boolean): void {
    // The target of a link or key may be anything, such as the sources, which must not become read-only. Submodules have
    // their own limit.
    const isOwn = !linked && this.#key === undefined && !this.#isForLink;
    const tree = isOwn ? this.#budget.own(path) : this.#budget.other(path);
    if (tree === undefined) {
      if (isOwn) this.lockTree(path, 'all');
      else this.refuse({ path, why: 'large', asked });
      return;
    }
    this.#add({ path, kind: 'tree', by: 'owner' });
    // Programs that run files in it also follow its links.
    for (const link of tree.links) this.protect(link, asked);
  }

  /** Watches a missing path, so that its creation is reported. Also in a git directory, where not everything can be created in advance. */
  watch(path: string): void {
    const found = this.followPath(path);
    if (found?.is === 'missing') this.#missing.add(found.path);
  }

  /** Guards a path, or creates a placeholder. A missing path without one is not watched, because its directory is sealed. */
  protectOrCreate(path: string, made: PlaceholderContent | undefined): void {
    const found = this.followPath(path);
    if (!found) return;
    if (found.is !== 'missing') this.guard(found, path);
    else if (found.linked) this.refuse({ path: found.path, why: 'dangling', asked: path });
    else if (made)
      this.#make({ path: found.path, ...made }, made.kind === 'file' ? 'file' : 'tree');
  }

  /** Seals a directory, so that missing files stay missing; creates it if needed. Returns its path without links. */
  sealOrCreate(path: string): string | undefined {
    const found = this.followPath(path);
    if (!found) return undefined;
    if (found.is === 'missing' && found.linked)
      this.refuse({ path: found.path, why: 'dangling', asked: path });
    else if (found.is === 'missing')
      this.#make({ path: found.path, kind: 'directory', content: '' }, 'sealed');
    else this.#seal(found, path);
    return found.path;
  }

  seal(path: string): void {
    const found = this.followPath(path);
    if (found && found.is !== 'missing') this.#seal(found, path);
  }

  /** Guards a directory with everything in it. Link targets are ignored, because git creates no links there. */
  guardTree(path: string): void {
    if (this.#facts.kind(path) !== 'directory') return;
    if (this.#isForLink || this.#budget.own(path)) this.#add({ path, kind: 'tree', by: 'owner' });
    else this.lockTree(path, 'all');
  }

  /** Locks a file that has to keep its owner: a mount that nobody can remove covers it, and a group change reveals attempts. */
  lockFile(path: string): void {
    this.#directories.lock(path);
  }

  /**
   * Locks a directory that was not completely inspected: a mount that nobody can remove covers it with everything in it.
   * `others`: inspected entries with their own mount stay writable.
   */
  lockTree(path: string, what: 'all' | 'others'): void {
    this.#directories.lockTree(path, what);
  }

  isTreeLocked(path: string): boolean {
    return this.#directories.isTreeLocked(path);
  }

  /** Gives a directory its own mount, whether or not anything in it is guarded. */
  passThrough(path: string): void {
    this.#directories.passThrough(path);
  }

  refuse(refused: RefusedPath): void {
    const known = this.#refused.get(refused.path);
    if (this.#isForLink && known && !known.forLink) return;
    const named = this.#key === undefined ? {} : { named: this.#key };
    const link = this.#isForLink ? { forLink: true as const } : {};
    this.#refused.set(refused.path, { ...named, ...link, ...refused });
  }

  /** Attributes requests during `ask` to a worktree or submodule, which an agent may have created. */
  forLinks<T>(ask: () => T): T {
    this.#isForLink = true;
    try {
      return ask();
    } finally {
      this.#isForLink = false;
    }
  }

  /** Attributes requests during `ask` to that key of git's configuration. */
  forKey<T>(key: string, ask: () => T): T {
    this.#key = key;
    try {
      return ask();
    } finally {
      this.#key = undefined;
    }
  }

  plan(): ProtectionPlan {
    for (const path of [...this.#leaves.keys(), ...this.#directories.paths()])
      if (this.#facts.isMountedOver(path)) this.refuse({ path, why: 'mounted', asked: path });
    // Sealed and fully guarded directories need no writable mount; the directories above them do.
    const closed = new Set(
      [...this.#leaves.values()].flatMap(({ kind, path }) =>
        kind === 'tree' || kind === 'sealed' ? [path] : [],
      ),
    );
    return {
      ancestors: this.#directories.ancestors((path) => isBelowAny(path, closed)),
      // In a fully guarded directory, links cannot be replaced.
      leaves: [...this.#leaves.values()].filter(
        ({ path, kind }) => kind !== 'link' || !this.#isInTree(path),
      ),
      placeholders: this.#placeholders,
      missing: [...this.#missing],
      refused: [...this.#refused.values()],
      named: this.#names,
      git: this.#directories.git(),
      whole: this.#directories.whole(),
    };
  }

  #seal({ path, is, linked }: FoundEntry, asked: string): void {
    if (is !== 'directory') this.refuse({ path, why: 'other', asked });
    else if (linked && this.#isTooMuch(path)) this.refuse({ path, why: 'workspace', asked });
    else this.#add({ path, kind: 'sealed', by: this.#directories.guardOf(path) });
  }

  #make(placeholder: Placeholder, kind: Leaf['kind']): void {
    this.#placeholders.push(placeholder);
    this.#add({ path: placeholder.path, kind, by: 'owner' });
  }

  #add(leaf: Leaf): void {
    if (this.#key !== undefined) this.#names.set(leaf.path, this.#key);
    const known = this.#leaves.get(leaf.path);
    if (known?.kind !== 'tree') this.#leaves.set(leaf.path, leaf);
    if (leaf.kind === 'tree') this.#trees.add(leaf.path);
    const at = leaf.path.lastIndexOf('/');
    if (at > 0) this.passThrough(leaf.path.slice(0, at));
  }

  /** The workspace itself, or a directory above its git directory, which must stay writable. */
  #isTooMuch(path: string): boolean {
    return path === '' || this.#directories.containsGit(path);
  }

  #isInTree(path: string): boolean {
    return isBelowAny(path, this.#trees);
  }
}
