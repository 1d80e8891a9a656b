// Looks at a workspace directory by directory and gathers what the host would run or obey of what changed. Pure: what is
// there is told by the tree that is handed in.
import { gitFileTarget } from '../git/git-file.ts';
import { isChanged, leadsToChange, mayBeRenamed, type Window, wasMoved } from './freshness.ts';
import { harmlessHidden, installedDirectories, packageDirectories } from './harmless.ts';
import type { HandoffEntry } from './judge.ts';
import { foldedOf, type Known, knownName } from './match.ts';
import {
  isGitData,
  isOwn,
  orderInOwn,
  type Place,
  repositoryOfDirectory,
  repositoryOfEntry,
  repositoryWhy,
} from './repositories.ts';
import { type EntryStats, follow, inside, nameOf, normalised, type Tree } from './tree.ts';

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: EntryStats['kind'];
}

export interface LookOptions {
  readonly window: Window;
  readonly tree: Tree;
  readonly root: string;
  /** Every entry is looked at, also one of no telling name: for set-id files and for what was installed or built. */
  readonly thorough: boolean;
}

/** What is known of a directory from those above it. */
interface Context {
  /** Everything in it is of this kind, since a directory is called so. */
  readonly known: Known | undefined;
  /** A directory whose name says so, or one below that, may have got its name since then. */
  readonly renamed: boolean;
  /** One of the directories was moved: what is in it lies where it did not. */
  readonly moved: boolean;
  /** One of them may have been. */
  readonly mayBeMoved: boolean;
  /** A hidden directory of which nobody knows what reads it. */
  readonly hidden: boolean;
  readonly installed: string | undefined;
  readonly packages: boolean;
  /** The directory of git that it lies in. */
  readonly git: { readonly top: string; readonly own: boolean } | undefined;
  readonly worktree: string | undefined;
}

const top: Context = {
  known: undefined,
  renamed: false,
  moved: false,
  mayBeMoved: false,
  hidden: false,
  installed: undefined,
  packages: false,
  git: undefined,
  worktree: undefined,
};

export class Look {
  readonly #place: Place;
  readonly #thorough: boolean;
  readonly #contexts = new Map<string, Context>([['', top]]);
  readonly #files: HandoffEntry[] = [];
  readonly #hidden: string[] = [];
  readonly #installed = new Map<string, number>();

  constructor({ window, tree, root, thorough }: LookOptions) {
    this.#place = { window, tree, root };
    this.#thorough = thorough;
  }

  /** Each directory once, and none before the one that holds it. */
  directory(path: string, entries: readonly DirectoryEntry[]): void {
    const context = this.#within(path, entries, this.#contexts.get(path) ?? top);
    this.#contexts.delete(path);
    for (const entry of entries) {
      const one = inside(path, entry.name);
      if (foldedOf(entry.name) === '.git') this.#git(one, entry, context);
      else if (entry.kind === 'directory')
        this.#contexts.set(one, this.#below(one, entry.name, context));
      else if (!context.git || entry.kind !== 'file' || !isGitData(one))
        this.#entry(one, entry, path, context);
    }
  }

  result() {
    return {
      files: this.#files.toSorted((one, other) => (one.path < other.path ? -1 : 1)),
      hidden: this.#hidden.toSorted(),
      installed: [...this.#installed]
        .map(([path, changed]) => ({ path, changed }))
        .toSorted((one, other) => (one.path < other.path ? -1 : 1)),
    };
  }

  /** What the entries of a directory say about it. */
  #within(path: string, entries: readonly DirectoryEntry[], context: Context): Context {
    if (entries.some(({ name }) => name === 'HEAD')) return this.#bare(path, context);
    const hasFile = entries.some(({ name, kind }) => name === '.git' && kind === 'file');
    return hasFile && this.#isWorktree(path)
      ? { ...context, hidden: false, worktree: path }
      : context;
  }

  /** A worktree of the guarded repository is a copy of the project, wherever it lies. */
  #isWorktree(path: string): boolean {
    const { tree, root, window } = this.#place;
    const named = gitFileTarget(tree.text(inside(path, '.git')));
    const name = named && /\/\.git\/worktrees\/([^/]+)$/.exec(named)?.[1];
    if (path === '' || name === undefined || !window.guarded.has('.git/config')) return false;
    return follow(tree, root, `.git/worktrees/${name}`).stats?.kind === 'directory';
  }

  #below(path: string, name: string, above: Context): Context {
    const { window, tree } = this.#place;
    const stats = tree.stats(path);
    if (!stats) return above;
    const folded = foldedOf(name);
    const changed = isChanged(window, path, stats);
    const mayBe = changed && mayBeRenamed(window, tree, path);
    const known = above.known ?? this.#knownDirectory(path, name, above);
    const isHidden = name.startsWith('.') && !known && !harmlessHidden.has(folded) && !above.git;
    const installed = above.installed ?? (installedDirectories.has(folded) ? path : undefined);
    const inWorktrees =
      name === 'worktrees' && nameOf(path.slice(0, -'/worktrees'.length)) === '.claude';
    return {
      known: inWorktrees ? undefined : known,
      renamed: known !== undefined && !inWorktrees && (above.renamed || mayBe),
      moved: above.moved || wasMoved(window, path, stats),
      mayBeMoved: above.mayBeMoved || mayBe,
      hidden: !inWorktrees && !installed && (above.hidden || isHidden),
      installed,
      packages: above.packages || packageDirectories.has(folded),
      git: above.git,
      worktree: above.worktree,
    };
  }

  #knownDirectory(path: string, name: string, above: Context): Known | undefined {
    const known = knownName(name, nameOf(path.slice(0, -name.length - 1)), 'directory');
    if (known && above.packages && known.rank !== 'enter') return undefined;
    return known?.whole ? known : undefined;
  }

  /** Something called `.git`, as this or another file system would see it. */
  #git(path: string, { name, kind }: DirectoryEntry, context: Context): void {
    const { window, tree } = this.#place;
    const own = path === '.git' && window.guarded.has('.git');
    const stats = tree.stats(path);
    if (kind === 'directory')
      this.#contexts.set(path, {
        ...this.#below(path, name, context),
        hidden: false,
        git: { top: path, own },
      });
    if (own && kind === 'directory') return;
    if (name !== '.git') {
      if (stats && isChanged(window, path, stats)) this.#tell(path, repositoryWhy, context);
      return;
    }
    const why = repositoryOfEntry(this.#place, path, context.moved || context.mayBeMoved)?.why;
    if (why !== undefined) this.#tell(path, why, context);
  }

  /** A directory with something called HEAD in it. */
  #bare(path: string, context: Context): Context {
    if (context.git?.top === path) return context;
    const moved = context.moved || context.mayBeMoved;
    const repository = repositoryOfDirectory(this.#place, path, moved);
    if (!repository) return context;
    const { why, found } = repository;
    // What belongs to a worktree in the repository itself: its orders are told one by one.
    if (context.git?.own && found.common === context.git.top) return context;
    if (why !== undefined) this.#tell(path === '' ? '.' : path, why, context);
    const own = found.path === found.common && isOwn(this.#place, found);
    return path === '' ? context : { ...context, git: { top: path, own } };
  }

  #entry(path: string, { name, kind }: DirectoryEntry, directory: string, context: Context): void {
    const { window, tree } = this.#place;
    const known =
      context.known ?? knownName(name, nameOf(directory), kind === 'link' ? 'link' : 'other');
    const isHidden =
      context.hidden || (name.startsWith('.') && !harmlessHidden.has(foldedOf(name)));
    const order = context.git?.own ? orderOf(context.git.top, path) : undefined;
    if (!known && !isHidden && !this.#thorough && order === undefined && kind !== 'link') return;
    const stats = tree.stats(path);
    if (!stats) return;
    const changed = isChanged(window, path, stats);
    if (kind === 'link') {
      this.#link(path, { known, changed }, context);
      return;
    }
    const place = context.known ?? (known?.parts === 2 ? known : undefined);
    const renamed = (known && context.moved) || (place && context.renamed);
    if (!changed && !renamed) return;
    const why = this.#whyOf(path, stats, { known, order }, context);
    if (why !== undefined)
      this.#tell(path, changed && window.guarded.has(path) ? `${why}${fromOutside}` : why, context);
    else if (context.git) return;
    else if (context.installed !== undefined)
      this.#installed.set(context.installed, (this.#installed.get(context.installed) ?? 0) + 1);
    else if (isHidden) this.#hidden.push(path);
  }

  #whyOf(
    path: string,
    { kind, mode }: EntryStats,
    { known, order }: { readonly known: Known | undefined; readonly order: string | undefined },
    context: Context,
  ): string | undefined {
    if (kind === 'file' && (mode & 0o6000) !== 0)
      return 'it runs with the rights of its owner or group (setuid, setgid)';
    if (context.git && order !== undefined)
      return orderInOwn(this.#place.tree, context.git.top, order);
    if (!known || !this.#counts(known, context)) return undefined;
    // In a directory of git names are those of branches, and nobody builds there.
    const isBranch = context.git && !context.known && !nameOf(path).startsWith('.');
    return isBranch ? undefined : known.why;
  }

  /** Every package has build files of its own, which nobody builds from there. */
  #counts(known: Known, { packages }: Context): boolean {
    return !packages || known.rank === 'enter';
  }

  #link(
    path: string,
    { known, changed }: { readonly known: Known | undefined; readonly changed: boolean },
    context: Context,
  ): void {
    if (!known && !changed) return;
    const { window, tree, root } = this.#place;
    const led = follow(tree, root, path);
    const target = led.path ?? 'nothing';
    if (known && this.#counts(known, context)) {
      if (changed || context.moved || context.renamed || leadsToChange(window, tree, led))
        this.#tell(path, `${known.why} (a link to ${target})`, context);
      return;
    }
    if (!changed || led.path === undefined) return;
    if (led.path.startsWith('/')) {
      if (led.stats && !/^\/(?:usr|bin|lib|lib64|nix|opt)\//.test(normalised(led.path)))
        this.#tell(path, `a link that leads out of the workspace, to ${target}`, context);
      return;
    }
    if (led.stats?.kind !== 'directory' || context.installed !== undefined) return;
    const repository =
      repositoryOfEntry(this.#place, inside(led.path, '.git'), true) ??
      repositoryOfDirectory(this.#place, led.path, true);
    if (led.path !== '' && repository?.why !== undefined)
      this.#tell(path, `${repository.why} (a link to ${target})`, context);
  }

  #tell(path: string, why: string, { worktree, packages, installed }: Context): void {
    const isRepository = /repository/.test(why);
    const group = isRepository ? undefined : (worktree ?? (packages ? installed : undefined));
    this.#files.push(group === undefined ? { path, why } : { path, why, group });
  }
}

/** What was guarded in every session of that time is told all the same: it may be what the user did not do either. */
const fromOutside = '; changed from outside of the session, in which it was read-only';

function orderOf(git: string, path: string): string | undefined {
  const inner = path.slice(git === '' ? 0 : git.length + 1);
  return /^(?:(?:worktrees\/[^/]+\/)?(?:config\.worktree|commondir|rebase-merge\/git-rebase-todo|sequencer\/todo)|config|info\/attributes|hooks\/.*)$/.test(
    inner,
  )
    ? inner
    : undefined;
}
