// Guards what one value of git's configuration may name in a workspace: a program, a directory of hooks, further configuration.
// Pure.
import type { ConfigLimits } from '../git/config-limits.ts';
import { isGitState } from '../git/keys.ts';
import type { Candidate } from '../git/names.ts';
import type { GuardBuilder } from './guard-builder.ts';
import { placesOf } from './named-places.ts';
import { directoriesBetween, isWithin, joined } from './path-text.ts';
import { type TreeFacts, type WayEnd, wayOf } from './path-walk.ts';
import type { ConfiguredGit, RefusedPath } from './protection-types.ts';

export interface NamedParts {
  readonly builder: GuardBuilder;
  readonly facts: TreeFacts;
  readonly configured: ConfiguredGit;
  readonly limits: ConfigLimits;
}

/** What Node finds, which adds an ending to a name. */
const endings = ['.js', '.json', '.node', '.cjs', '.mjs', '.ts'];

export class NamedGuard {
  readonly #builder: GuardBuilder;
  readonly #facts: TreeFacts;
  readonly #configured: ConfiguredGit;
  readonly #limits: ConfigLimits;
  /** Where worktrees and submodules really are checked out: work goes on there. */
  readonly #tops: readonly string[];
  readonly #looked = new Set<string>();
  #isCrowded = false;

  constructor({ builder, facts, configured, limits }: NamedParts, tops: readonly string[]) {
    this.#builder = builder;
    this.#facts = facts;
    this.#configured = configured;
    this.#limits = limits;
    this.#tops = tops;
  }

  /** `bases`: the directories in which git runs it. */
  candidate(candidate: Candidate, bases: readonly string[]): void {
    for (const place of placesOf(candidate.path, bases, joined, this.#facts)) {
      const { directory, missing, sure } = candidate;
      const key = JSON.stringify([place, directory, missing, sure]);
      if (this.#looked.has(key)) continue;
      this.#looked.add(key);
      if (!this.#limits.areLookupsUsedUp) this.#look(place, candidate);
      else if (!this.#isCrowded) {
        this.#isCrowded = true;
        this.#refuse({ path: place, why: 'crowded' });
      }
    }
  }

  #look(place: string, candidate: Candidate): void {
    const { links, end } = wayOf(this.#facts, place);
    // That costs more than to look into the workspace.
    if (place.startsWith('/')) this.#limits.lookups += 4;
    if (this.isWritable(place, end)) return;
    // What is outside is the host's; what leads there is not.
    if (end.kind !== 'inside') {
      if (end.kind === 'stuck' && end.link === '') this.#refuse({ path: place, why: end.why });
      else if (links.length > 0) this.#builder.lead(place);
    } else if (this.#isTooMuch(end.path)) {
      if (candidate.sure || (candidate.directory && this.#isAbove(end.path, candidate)))
        this.#refuse({ path: end.path, why: 'workspace' });
    } else if (!candidate.sure && this.#isState(end.path, end.is)) return;
    else if (end.is === 'missing') {
      if (candidate.sure && links.length === 0)
        this.missing(end.path, { kind: 'directory', content: '' });
      else if (candidate.missing) this.#builder.watch(place);
      if (candidate.missing && !candidate.sure) this.#withEnding(end.path);
    } else if (end.is !== 'directory' || candidate.directory)
      this.#builder.protect(place, end.path);
  }

  #withEnding(path: string): void {
    for (const ending of endings) {
      const other = `${path}${ending}`;
      if (['file', 'link'].includes(this.#facts.kind(other))) this.#builder.protect(other);
    }
  }

  /** In a directory of git it can be made, so that nobody else makes it; elsewhere it would be a file of the project. */
  missing(path: string, made: Parameters<GuardBuilder['protectOrMake']>[1]): void {
    const { receiving = [] } = this.#configured;
    const git = this.#gits().find((one) => isWithin(path, one));
    const between = git === undefined ? [] : directoriesBetween(git, path);
    const missing = between.filter((one) => this.#facts.kind(one) === 'missing');
    const isHeld = git !== undefined && (missing.length === 0 || receiving.includes(git));
    if (!isHeld) {
      this.#builder.watch(path);
      return;
    }
    // Nothing else is made in the directories on the way.
    for (const directory of missing) this.#builder.sealOrMake(directory);
    this.#builder.protectOrMake(path, made);
  }

  #isTooMuch(path: string): boolean {
    return path === '' || [...this.#gits(), ...this.#tops].some((one) => isWithin(one, path));
  }

  /** A directory that is named itself and holds a checkout beside what git runs: unguarded, it would be anybody's. */
  #isAbove(path: string, { path: named }: Candidate): boolean {
    const isOther = path !== '' && !this.#tops.includes(path) && !/^[./]*$/.test(named);
    return isOther && !this.#gits().some((one) => isWithin(one, path));
  }

  #isState(path: string, is: string): boolean {
    const git = this.#gits().find((one) => isWithin(path, one));
    if (git === undefined) return false;
    return is === 'directory' || isGitState(path.slice(git.length + 1));
  }

  /** The innermost first. */
  #gits(): string[] {
    const { git, worktrees, modules } = this.#configured;
    return [...worktrees, ...modules, git].toSorted((one, other) => other.length - one.length);
  }

  /** The agent may change it after all. */
  isWritable(place: string, end: WayEnd): boolean {
    const paths = end.kind === 'inside' ? [place, end.path] : [place];
    return paths.some((path) => this.#configured.writable.some((one) => isWithin(path, one)));
  }

  #refuse(refused: Omit<RefusedPath, 'asked'>): void {
    this.#builder.refuse({ ...refused, asked: refused.path });
  }
}
