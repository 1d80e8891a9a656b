// Guards paths that one value of git's configuration may name: a program, a hooks directory, included configuration. Pure.

import { isGitState } from '../git/config-keys.ts';
import type { ConfigLimits } from '../git/config-limits.ts';
import type { Candidate } from '../git/path-candidates.ts';
import type { GuardBuilder } from './guard-builder.ts';
import { resolveNamedPath } from './named-path.ts';
import { directoriesBetween, isWithin, joinPath } from './path-text.ts';
import { type TreeFacts, type WalkEnd, walkPath } from './path-walk.ts';
import type { ConfiguredGit, RefusedPath } from './protection-types.ts';

export interface NamedPathOptions {
  readonly builder: GuardBuilder;
  readonly facts: TreeFacts;
  readonly configured: ConfiguredGit;
  readonly limits: ConfigLimits;
}

/** Endings that Node adds to a name. */
const endings = ['.js', '.json', '.node', '.cjs', '.mjs', '.ts'];

export class NamedPathGuard {
  readonly #builder: GuardBuilder;
  readonly #facts: TreeFacts;
  readonly #configured: ConfiguredGit;
  readonly #limits: ConfigLimits;
  /** Actual checkouts of worktrees and submodules, which must stay writable. */
  readonly #tops: readonly string[];
  readonly #looked = new Set<string>();
  #isCrowded = false;

  constructor({ builder, facts, configured, limits }: NamedPathOptions, tops: readonly string[]) {
    this.#builder = builder;
    this.#facts = facts;
    this.#configured = configured;
    this.#limits = limits;
    this.#tops = tops;
  }

  /** `bases`: directories in which git runs it. */
  guardCandidate(candidate: Candidate, bases: readonly string[]): void {
    for (const target of resolveNamedPath(candidate.path, bases, joinPath, this.#facts)) {
      const { directory, missing, sure } = candidate;
      const key = JSON.stringify([target, directory, missing, sure]);
      if (this.#looked.has(key)) continue;
      this.#looked.add(key);
      if (!this.#limits.areLookupsUsedUp) this.#look(target, candidate);
      else if (!this.#isCrowded) {
        this.#isCrowded = true;
        this.#refuse({ path: target, why: 'crowded' });
      }
    }
  }

  #look(target: string, candidate: Candidate): void {
    const { links, end } = walkPath(this.#facts, target);
    // Costs more than a lookup in the workspace.
    if (target.startsWith('/')) this.#limits.lookups += 4;
    if (this.isWritable(target, end)) return;
    // The agent cannot change files outside, but it could change links on the way.
    if (end.kind !== 'inside') {
      if (end.kind === 'stuck' && end.link === '') this.#refuse({ path: target, why: end.why });
      else if (links.length > 0) this.#builder.followPath(target);
    } else if (this.#isTooMuch(end.path)) {
      if (candidate.sure || (candidate.directory && this.#isAbove(end.path, candidate)))
        this.#refuse({ path: end.path, why: 'workspace' });
    } else if (!candidate.sure && this.#isState(end.path, end.is)) return;
    else if (end.is === 'missing') {
      if (candidate.sure && links.length === 0)
        this.guardMissing(end.path, { kind: 'directory', content: '' });
      else if (candidate.missing) this.#builder.watch(target);
      if (candidate.missing && !candidate.sure) this.#withEnding(end.path);
    } else if (end.is !== 'directory' || candidate.directory)
      this.#builder.protect(target, end.path);
  }

  #withEnding(path: string): void {
    for (const ending of endings) {
      const other = `${path}${ending}`;
      if (['file', 'link'].includes(this.#facts.kind(other))) this.#builder.protect(other);
    }
  }

  /** In a git directory a placeholder is created, so that nobody else can create the path; elsewhere it would be a project file. */
  guardMissing(path: string, made: Parameters<GuardBuilder['protectOrCreate']>[1]): void {
    const { receiving = [] } = this.#configured;
    const git = this.#gits().find((one) => isWithin(path, one));
    const between = git === undefined ? [] : directoriesBetween(git, path);
    const missing = between.filter((one) => this.#facts.kind(one) === 'missing');
    const isHeld = git !== undefined && (missing.length === 0 || receiving.includes(git));
    if (!isHeld) {
      this.#builder.watch(path);
      return;
    }
    // Nothing else can be created in the directories on the way.
    for (const directory of missing) this.#builder.sealOrCreate(directory);
    this.#builder.protectOrCreate(path, made);
  }

  #isTooMuch(path: string): boolean {
    return path === '' || [...this.#gits(), ...this.#tops].some((one) => isWithin(one, path));
  }

  /** A named directory that contains a checkout besides files that git runs. */
  #isAbove(path: string, { path: named }: Candidate): boolean {
    const isOther = path !== '' && !this.#tops.includes(path) && !/^[./]*$/.test(named);
    return isOther && !this.#gits().some((one) => isWithin(one, path));
  }

  #isState(path: string, is: string): boolean {
    const git = this.#gits().find((one) => isWithin(path, one));
    if (git === undefined) return false;
    return is === 'directory' || isGitState(path.slice(git.length + 1));
  }

  /** Innermost first. */
  #gits(): string[] {
    const { git, worktrees, modules } = this.#configured;
    return [...worktrees, ...modules, git].toSorted((one, other) => other.length - one.length);
  }

  /** Whether it is in `writable_paths`. */
  isWritable(target: string, end: WalkEnd): boolean {
    const paths = end.kind === 'inside' ? [target, end.path] : [target];
    return paths.some((path) => this.#configured.writable.some((one) => isWithin(path, one)));
  }

  #refuse(refused: Omit<RefusedPath, 'asked'>): void {
    this.#builder.refuse({ ...refused, asked: refused.path });
  }
}
