// Collects what of a workspace is guarded: each path with the links on its way, what they lead to, and the directories above. Pure.
import { GuardedDirectories } from './guarded-directories.ts';
import { isBelowAny } from './path-text.ts';
import { type TreeFacts, type WayEnd, wayOf } from './path-walk.ts';
import type { Leaf, Placeholder, ProtectionPlan, RefusedPath } from './protection-types.ts';
import { TreeBudget } from './tree-budget.ts';

export type Made = Omit<Placeholder, 'path'>;

type Found = Extract<WayEnd, { kind: 'inside' }> & { readonly linked: boolean };

/** Of all links on the way to what is guarded: an agent can lay them so that each goes over forty others. */
const followedMax = 5000;

/** What was said first about a path wins unless the later word is stricter. */
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
  #named: string | undefined;
  #isForLink = false;

  constructor(facts: TreeFacts) {
    this.#facts = facts;
    this.#budget = new TreeBudget(facts);
  }

  /** A directory of git: it and those of worktrees and submodules in it belong to the user. */
  addGit(path: string): void {
    this.#directories.addGit(path);
  }

  /** Where a submodule or another worktree is checked out: git looks at the owner of that directory. */
  addCheckout(path: string): void {
    this.#directories.addCheckout(path);
  }

  /** `asked` is the path of the configuration that led here. */
  protect(path: string, asked = path): void {
    const found = this.lead(path, asked);
    if (found) this.guard(found, asked);
  }

  /** Guards the links on the way; what they lead to in the workspace, undefined where they lead out of it. */
  lead(path: string, asked = path): Found | undefined {
    if (this.#followed > followedMax) return undefined;
    const { links, passed, end } = wayOf(this.#facts, path);
    this.#followed += links.length;
    if (this.#followed > followedMax) this.refuse({ path, why: 'links', asked });
    for (const link of links) this.#add({ path: link, kind: 'link', by: 'owner' });
    for (const directory of passed) this.pass(directory);
    if (end.kind === 'stuck') this.refuse({ path: end.link, why: end.why, asked });
    return end.kind === 'inside' ? { ...end, linked: links.length > 0 } : undefined;
  }

  guard({ path, is, linked }: Found, asked: string): void {
    if (is === 'missing') {
      if (linked || !this.#directories.isInGit(path)) this.#missing.add(path);
    } else if (is !== 'file' && is !== 'directory') this.refuse({ path, why: 'other', asked });
    else if (linked && asked !== '.git' && this.#isTooMuch(path))
      this.refuse({ path, why: 'workspace', asked });
    // The file of a worktree is one of the things whose owner git looks at.
    else if (is === 'file' && path === '.git') this.hold(path);
    else if (is === 'file') this.#add({ path, kind: 'file', by: 'owner' });
    else if (!this.#isInTree(path)) this.#guardTree(path, asked, linked);
  }

  /** One by one, or with more in it than that as a whole: it may be an agent that made it where it was missing, and filled it. */
  #guardTree(path: string, asked: string, linked: boolean): void {
    // What a link or a key leads to may be anything, as the sources: nobody wants that read-only. Submodules have a limit of
    // their own.
    const isOwn = !linked && this.#named === undefined && !this.#isForLink;
    const tree = isOwn ? this.#budget.own(path) : this.#budget.other(path);
    if (tree === undefined) {
      if (isOwn) this.holdWhole(path, 'all');
      else this.refuse({ path, why: 'large', asked });
      return;
    }
    this.#add({ path, kind: 'tree', by: 'owner' });
    // Whoever runs what is in it follows links there, too.
    for (const link of tree.links) this.protect(link, asked);
  }

  /** What is not there, or not yet: that it is made is told. Also in a directory of git, where not everything can be made before. */
  watch(path: string): void {
    const found = this.lead(path);
    if (found?.is === 'missing') this.#missing.add(found.path);
  }

  /** Of what nothing is told where it leads to nothing: it is made, or what holds it is sealed. */
  protectOrMake(path: string, made: Made | undefined): void {
    const found = this.lead(path);
    if (!found) return;
    if (found.is !== 'missing') this.guard(found, path);
    else if (found.linked) this.refuse({ path: found.path, why: 'dangling', asked: path });
    else if (made)
      this.#make({ path: found.path, ...made }, made.kind === 'file' ? 'file' : 'tree');
  }

  /** A directory in which what is missing stays missing; makes it where it is missing itself. Gives its path without links. */
  sealOrMake(path: string): string | undefined {
    const found = this.lead(path);
    if (!found) return undefined;
    if (found.is === 'missing' && found.linked)
      this.refuse({ path: found.path, why: 'dangling', asked: path });
    else if (found.is === 'missing')
      this.#make({ path: found.path, kind: 'directory', content: '' }, 'sealed');
    else this.#seal(found, path);
    return found.path;
  }

  seal(path: string): void {
    const found = this.lead(path);
    if (found && found.is !== 'missing') this.#seal(found, path);
  }

  /** A directory as it is, with all that is in it. What links in it lead to is nobody's concern: git makes none there. */
  close(path: string): void {
    if (this.#facts.kind(path) !== 'directory') return;
    if (this.#isForLink || this.#budget.own(path)) this.#add({ path, kind: 'tree', by: 'owner' });
    else this.holdWhole(path, 'all');
  }

  /** A file that has to keep its owner: a mount that nobody can take away holds it, and its group tells who tries. */
  hold(path: string): void {
    this.#directories.hold(path);
  }

  /**
   * A directory of which not everything was looked at: a mount that nobody can take away holds it with all that is in it.
   * `others`: what was looked at in it, and has a mount of its own, can be written in.
   */
  holdWhole(path: string, what: 'all' | 'others'): void {
    this.#directories.holdWhole(path, what);
  }

  isHeldWhole(path: string): boolean {
    return this.#directories.isHeldWhole(path);
  }

  /** A directory with a mount of its own, whatever is guarded in it. */
  pass(path: string): void {
    this.#directories.pass(path);
  }

  refuse(refused: RefusedPath): void {
    const known = this.#refused.get(refused.path);
    if (this.#isForLink && known && !known.forLink) return;
    const named = this.#named === undefined ? {} : { named: this.#named };
    const link = this.#isForLink ? { forLink: true as const } : {};
    this.#refused.set(refused.path, { ...named, ...link, ...refused });
  }

  /** What is asked for meanwhile is so because of a worktree or a submodule, which an agent may have made. */
  forLinks<T>(ask: () => T): T {
    this.#isForLink = true;
    try {
      return ask();
    } finally {
      this.#isForLink = false;
    }
  }

  /** What is asked for meanwhile is so because of that key of git's configuration. */
  named<T>(key: string, ask: () => T): T {
    this.#named = key;
    try {
      return ask();
    } finally {
      this.#named = undefined;
    }
  }

  plan(): ProtectionPlan {
    for (const path of [...this.#leaves.keys(), ...this.#directories.paths()])
      if (this.#facts.isMountedOver(path)) this.refuse({ path, why: 'mounted', asked: path });
    // What is sealed or guarded as a whole needs no mount to write through; what lies above it does.
    const closed = new Set(
      [...this.#leaves.values()].flatMap(({ kind, path }) =>
        kind === 'tree' || kind === 'sealed' ? [path] : [],
      ),
    );
    return {
      ancestors: this.#directories.ancestors((path) => isBelowAny(path, closed)),
      // No link can be replaced in a directory that is guarded as a whole.
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

  #seal({ path, is, linked }: Found, asked: string): void {
    if (is !== 'directory') this.refuse({ path, why: 'other', asked });
    else if (linked && this.#isTooMuch(path)) this.refuse({ path, why: 'workspace', asked });
    else this.#add({ path, kind: 'sealed', by: this.#directories.guardOf(path) });
  }

  #make(placeholder: Placeholder, kind: Leaf['kind']): void {
    this.#placeholders.push(placeholder);
    this.#add({ path: placeholder.path, kind, by: 'owner' });
  }

  #add(leaf: Leaf): void {
    if (this.#named !== undefined) this.#names.set(leaf.path, this.#named);
    const known = this.#leaves.get(leaf.path);
    if (known?.kind !== 'tree') this.#leaves.set(leaf.path, leaf);
    if (leaf.kind === 'tree') this.#trees.add(leaf.path);
    const at = leaf.path.lastIndexOf('/');
    if (at > 0) this.pass(leaf.path.slice(0, at));
  }

  /** The workspace itself, or what holds its git directory, which goes on being written. */
  #isTooMuch(path: string): boolean {
    return path === '' || this.#directories.holdsGit(path);
  }

  #isInTree(path: string): boolean {
    return isBelowAny(path, this.#trees);
  }
}
