// Scans a workspace for changed files that the host would run or obey. Pure: reads through the given tree.
import { gitFileTarget } from '../git/git-file.ts';
import type { HandoffEntry } from './findings.ts';
import { isChanged, isMoved, isTargetChanged, mayBeRenamed, type TimeWindow } from './freshness.ts';
import { harmlessHidden, installedDirectories, packageDirectories } from './harmless-names.ts';
import { foldHidden, matchName, type NameMatch } from './match-name.ts';
import {
  findingInOwn,
  isGitData,
  isOwn,
  repositoryOfDirectory,
  repositoryOfEntry,
  repositoryWhy,
  type ScanContext,
} from './repositories.ts';
import {
  type EntryStats,
  followPath,
  joinPath,
  nameOf,
  normalize,
  type WorkspaceTree,
} from './tree.ts';

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: EntryStats['kind'];
}

export interface ScanOptions {
  readonly window: TimeWindow;
  readonly tree: WorkspaceTree;
  readonly root: string;
  /** Check every entry, regardless of its name: for set-id files and installed or built files. */
  readonly thorough: boolean;
}

/** What a directory inherits from the directories above it. */
interface DirectoryContext {
  /** Applies to everything in it, because of a directory's name. */
  readonly known: NameMatch | undefined;
  /** The directory with that name, or one below it, may have been renamed since then. */
  readonly renamed: boolean;
  /** A directory on the path was moved, so its content is at a new path. */
  readonly moved: boolean;
  /** A directory on the path may have been moved. */
  readonly mayBeMoved: boolean;
  /** In a hidden directory whose readers are unknown. */
  readonly hidden: boolean;
  readonly installed: string | undefined;
  readonly packages: boolean;
  /** The git directory that contains it. */
  readonly git: { readonly top: string; readonly own: boolean } | undefined;
  readonly worktree: string | undefined;
}

const top: DirectoryContext = {
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

export class WorkspaceScan {
  readonly #scan: ScanContext;
  readonly #thorough: boolean;
  readonly #contexts = new Map<string, DirectoryContext>([['', top]]);
  readonly #files: HandoffEntry[] = [];
  readonly #hidden: string[] = [];
  readonly #installed = new Map<string, number>();

  constructor({ window, tree, root, thorough }: ScanOptions) {
    this.#scan = { window, tree, root };
    this.#thorough = thorough;
  }

  /** Call it once per directory, parents first. */
  directory(path: string, entries: readonly DirectoryEntry[]): void {
    const context = this.#within(path, entries, this.#contexts.get(path) ?? top);
    this.#contexts.delete(path);
    for (const entry of entries) {
      const one = joinPath(path, entry.name);
      if (foldHidden(entry.name) === '.git') this.#git(one, entry, context);
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

  /** Updates the context from the entries of a directory. */
  #within(
    path: string,
    entries: readonly DirectoryEntry[],
    context: DirectoryContext,
  ): DirectoryContext {
    if (entries.some(({ name }) => name === 'HEAD')) return this.#bare(path, context);
    const hasFile = entries.some(({ name, kind }) => name === '.git' && kind === 'file');
    return hasFile && this.#isWorktree(path)
      ? { ...context, hidden: false, worktree: path }
      : context;
  }

  /** Whether it is a worktree of the guarded repository, and so a copy of the project. */
  #isWorktree(path: string): boolean {
    const { tree, root, window } = this.#scan;
    const named = gitFileTarget(tree.text(joinPath(path, '.git')));
    const name = named && /\/\.git\/worktrees\/([^/]+)$/.exec(named)?.[1];
    if (path === '' || name === undefined || !window.guarded.has('.git/config')) return false;
    return followPath(tree, root, `.git/worktrees/${name}`).stats?.kind === 'directory';
  }

  #below(path: string, name: string, above: DirectoryContext): DirectoryContext {
    const { window, tree } = this.#scan;
    const stats = tree.stats(path);
    if (!stats) return above;
    const folded = foldHidden(name);
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
      moved: above.moved || isMoved(window, path, stats),
      mayBeMoved: above.mayBeMoved || mayBe,
      hidden: !inWorktrees && !installed && (above.hidden || isHidden),
      installed,
      packages: above.packages || packageDirectories.has(folded),
      git: above.git,
      worktree: above.worktree,
    };
  }

  #knownDirectory(path: string, name: string, above: DirectoryContext): NameMatch | undefined {
    const known = matchName(name, nameOf(path.slice(0, -name.length - 1)), 'directory');
    if (known && above.packages && known.rank !== 'enter') return undefined;
    return known?.whole ? known : undefined;
  }

  /** An entry named `.git`, also on case-insensitive file systems. */
  #git(path: string, { name, kind }: DirectoryEntry, context: DirectoryContext): void {
    const { window, tree } = this.#scan;
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
      if (stats && isChanged(window, path, stats)) this.#report(path, repositoryWhy, context);
      return;
    }
    const why = repositoryOfEntry(this.#scan, path, context.moved || context.mayBeMoved)?.why;
    if (why !== undefined) this.#report(path, why, context);
  }

  /** A directory with an entry named HEAD. */
  #bare(path: string, context: DirectoryContext): DirectoryContext {
    if (context.git?.top === path) return context;
    const moved = context.moved || context.mayBeMoved;
    const repository = repositoryOfDirectory(this.#scan, path, moved);
    if (!repository) return context;
    const { why, found } = repository;
    // A worktree's directory in the repository itself: its files are reported one by one.
    if (context.git?.own && found.common === context.git.top) return context;
    if (why !== undefined) this.#report(path === '' ? '.' : path, why, context);
    const own = found.path === found.common && isOwn(this.#scan, found);
    return path === '' ? context : { ...context, git: { top: path, own } };
  }

  #entry(
    path: string,
    { name, kind }: DirectoryEntry,
    directory: string,
    context: DirectoryContext,
  ): void {
    const { window, tree } = this.#scan;
    const known =
      context.known ?? matchName(name, nameOf(directory), kind === 'link' ? 'link' : 'other');
    const isHidden =
      context.hidden || (name.startsWith('.') && !harmlessHidden.has(foldHidden(name)));
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
      this.#report(
        path,
        changed && window.guarded.has(path) ? `${why}${fromOutside}` : why,
        context,
      );
    else if (context.git) return;
    else if (context.installed !== undefined)
      this.#installed.set(context.installed, (this.#installed.get(context.installed) ?? 0) + 1);
    else if (isHidden) this.#hidden.push(path);
  }

  #whyOf(
    path: string,
    { kind, mode }: EntryStats,
    { known, order }: { readonly known: NameMatch | undefined; readonly order: string | undefined },
    context: DirectoryContext,
  ): string | undefined {
    if (kind === 'file' && (mode & 0o6000) !== 0)
      return 'it runs with the rights of its owner or group (setuid, setgid)';
    if (context.git && order !== undefined) {
      const why = findingInOwn(this.#scan.tree, context.git.top, order);
      // coid may still be removing placeholders of a session that ended.
      return this.#scan.tree.stats(path) ? why : undefined;
    }
    if (!known || !this.#counts(known, context)) return undefined;
    // In a git directory, names are those of branches, and nobody builds there.
    const isBranch = context.git && !context.known && !nameOf(path).startsWith('.');
    return isBranch ? undefined : known.why;
  }

  /** Build files in installed packages do not count, because nobody builds there. */
  #counts(known: NameMatch, { packages }: DirectoryContext): boolean {
    return !packages || known.rank === 'enter';
  }

  #link(
    path: string,
    { known, changed }: { readonly known: NameMatch | undefined; readonly changed: boolean },
    context: DirectoryContext,
  ): void {
    if (!known && !changed) return;
    const { window, tree, root } = this.#scan;
    const led = followPath(tree, root, path);
    const target = led.path ?? 'nothing';
    if (known && this.#counts(known, context)) {
      if (changed || context.moved || context.renamed || isTargetChanged(window, tree, led))
        this.#report(path, `${known.why} (a link to ${target})`, context);
      return;
    }
    if (!changed || led.path === undefined) return;
    if (led.path.startsWith('/')) {
      if (led.stats && !/^\/(?:usr|bin|lib|lib64|nix|opt)\//.test(normalize(led.path)))
        this.#report(path, `a link that leads out of the workspace, to ${target}`, context);
      return;
    }
    if (led.stats?.kind !== 'directory' || context.installed !== undefined) return;
    const repository =
      repositoryOfEntry(this.#scan, joinPath(led.path, '.git'), true) ??
      repositoryOfDirectory(this.#scan, led.path, true);
    if (led.path !== '' && repository?.why !== undefined)
      this.#report(path, `${repository.why} (a link to ${target})`, context);
  }

  #report(path: string, why: string, { worktree, packages, installed }: DirectoryContext): void {
    const isRepository = /repository/.test(why);
    const group = isRepository ? undefined : (worktree ?? (packages ? installed : undefined));
    this.#files.push(group === undefined ? { path, why } : { path, why, group });
  }
}

/** Changes of guarded paths are reported too, because the user may not have made them either. */
const fromOutside = '; changed from outside of the session, in which it was read-only';

function orderOf(git: string, path: string): string | undefined {
  const inner = path.slice(git === '' ? 0 : git.length + 1);
  return /^(?:(?:worktrees\/[^/]+\/)?(?:config\.worktree|commondir|rebase-merge\/git-rebase-todo|sequencer\/todo)|config|info\/attributes|hooks\/.*)$/.test(
    inner,
  )
    ? inner
    : undefined;
}
