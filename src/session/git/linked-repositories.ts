// Selects the worktrees and submodules of a git directory that are inspected one by one. Anybody who can write to a
// repository can create any number of them, so beyond a limit they are locked as a whole (decision 85). Pure.
import type { GuardBuilder } from '../protect/guard-builder.ts';
import { isWithin } from '../protect/path-text.ts';
import { type TreeFacts, walkPath } from '../protect/path-walk.ts';
import { parseGitConfig } from './config.ts';

/** Measured: a start with that many takes about 0.2 s longer than one without. */
export const unvouchedMax = 250;
/** Limit for submodules in the host's configuration. */
const namedMax = 500;
/** Limit for nested submodules, and for components of a name. */
const depthMax = 6;
/** Limit for inspected submodules of one git directory. */
export const modulesMax = unvouchedMax + namedMax;
/** Directories are listed up to this number. */
const listedMax = modulesMax + 1;

/** Which entries that nobody vouches for are inspected, within the limits. */
export interface InspectionScope {
  readonly worktrees: boolean;
  readonly modules: boolean;
  /** Submodules in git's configuration. */
  readonly named: boolean;
}

export class LinkedRepositories {
  readonly #builder: GuardBuilder;
  readonly #facts: TreeFacts;
  readonly #scope: InspectionScope;
  #unvouched = 0;
  /** How many more can be inspected. */
  #left = unvouchedMax;
  #named = 0;

  constructor(builder: GuardBuilder, facts: TreeFacts, scope: InspectionScope) {
    this.#builder = builder;
    this.#facts = facts;
    this.#scope = scope;
  }

  /** Number of entries that nobody vouches for, inspected or not. */
  get unvouched(): number {
    return this.#unvouched;
  }

  /** Ignores links, which git never creates there: an agent could use them to seal anything. */
  worktrees(git: string): string[] {
    const path = `${git}/worktrees`;
    const top = this.#directory(path);
    if (top === undefined) return [];
    const known = new Set(this.#facts.known?.(top));
    const others = this.#others(top, (name) => known.has(name), this.#scope.worktrees);
    if (!others) this.#builder.lockTree(top, 'others');
    return [...known, ...(others ?? [])].flatMap((name) => {
      const isLink = this.#facts.kind(`${top}/${name}`) === 'link';
      return (isLink ? undefined : this.#lead(`${path}/${name}`)) ?? [];
    });
  }

  /** Git directories of submodules, including nested ones. */
  modules(git: string, names: readonly string[]): string[] {
    const top = this.#modulesAt(git);
    if (top === undefined) return [];
    const sure = new Set([...this.#vouched(git, names, 0), ...this.#known(top)]);
    const others = this.#strange(top, sure);
    // Not through a link: an agent could use one to lock the project's sources.
    if (!others && top === `${git}/modules`) this.#builder.lockTree(top, 'all');
    return [...sure, ...(others ?? [])];
  }

  /** Git never creates a link there, but follows one. A link into the repository, or to a directory above it, is ignored. */
  #modulesAt(git: string): string | undefined {
    const path = `${git}/modules`;
    if (this.#facts.kind(path) !== 'link') return this.#directory(path);
    const { end } = walkPath(this.#facts, path);
    if (end.kind !== 'inside' || end.is !== 'directory' || end.path === '') return undefined;
    if (isWithin(git, end.path) || isWithin(end.path, git)) return undefined;
    return this.#lead(path);
  }

  /** Submodules in a configuration file, as `git submodule init` writes them. */
  names(config: string): string[] {
    const { end } = walkPath(this.#facts, config);
    const text = end.kind === 'inside' ? this.#facts.text(end.path) : undefined;
    return text === undefined ? [] : submodulesIn(text);
  }

  /** Submodules in the host's guarded configuration are trusted, and so are those that they name. */
  #vouched(git: string, names: readonly string[], depth: number): string[] {
    if (!this.#scope.named || depth > depthMax) return [];
    return names.flatMap((name) => {
      if (this.#named >= namedMax) return [];
      const module = this.#lead(`${git}/modules/${name}`);
      if (module === undefined || !this.#isModule(module)) return [];
      this.#named += 1;
      const below = `${module}/config`;
      const isDeeper = this.#facts.kind(`${module}/modules`) === 'directory';
      return [module, ...(isDeeper ? this.#vouched(module, this.names(below), depth + 1) : [])];
    });
  }

  /** Submodules that are already guarded. */
  #known(modules: string): string[] {
    const found: string[] = [];
    const open = [modules];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const top = this.#directory(next);
      for (const name of (top !== undefined && this.#facts.known?.(top)) || []) {
        const path = this.#lead(`${next}/${name}`);
        if (path === undefined || found.includes(path)) continue;
        if (this.#isModule(path)) found.push(path);
        open.push(this.#isModule(path) ? `${path}/modules` : path);
      }
    }
    return found;
  }

  /** All other submodules; undefined if there are too many or they are too deep. */
  #strange(modules: string, sure: ReadonlySet<string>): string[] | undefined {
    const ways = ancestorsOf(sure);
    const found = new Set<string>();
    const seen = new Set<string>();
    const open = [{ path: modules, parts: 0, nested: 0 }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const top = this.#directory(next.path);
      if (top === undefined || seen.has(top)) continue;
      seen.add(top);
      const isSure = (name: string) => ways.has(`${top}/${name}`);
      const others = this.#others(top, isSure, this.#scope.modules);
      if (!others) return undefined;
      const { nested } = next;
      for (const name of [...this.#facts.names(top, listedMax).filter(isSure), ...others]) {
        const path = `${top}/${name}`;
        if (this.#directory(path) === undefined || this.#facts.isLate(path)) continue;
        const isModule = this.#isModule(path);
        if (isModule && !sure.has(path)) found.add(path);
        const below = isModule
          ? { path: `${path}/modules`, parts: 0, nested: nested + 1 }
          : { path, parts: next.parts + 1, nested };
        if (below.parts > depthMax || below.nested > depthMax)
          if (this.#directory(below.path) === undefined)
            // Does not exist, as in most submodules.
            continue;
          else return undefined;
        open.push(below);
      }
    }
    return [...found];
  }

  /** Other names in a directory; undefined if there are too many. */
  #others(top: string, isSure: (name: string) => boolean, looks: boolean): string[] | undefined {
    const isWhole = this.#facts.isWhole?.(top) ?? false;
    const max = looks && !isWhole ? this.#left : 0;
    const others = this.#facts
      .names(top, listedMax)
      .filter((name) => !isSure(name) && !this.#facts.isLate(`${top}/${name}`));
    this.#unvouched += others.length;
    // A name that is not valid UTF-8 cannot be opened again, so nothing in it could be guarded.
    if (isWhole || others.length > max || others.some(isInvalidText)) return undefined;
    this.#left -= others.length;
    return others;
  }

  /** Ignores links: an agent could use one to seal or lock anything. */
  #directory(path: string): string | undefined {
    return this.#facts.kind(path) === 'directory' ? path : undefined;
  }

  #lead(path: string): string | undefined {
    const found = this.#builder.followPath(path);
    return found?.is === 'directory' && !this.#facts.isLate(found.path) ? found.path : undefined;
  }

  /** HEAD is a link in old repositories. */
  #isModule(path: string): boolean {
    return ['file', 'link'].includes(this.#facts.kind(`${path}/HEAD`));
  }
}

/** Names of submodules that are valid as part of a path. */
export function submodulesIn(text: string): string[] {
  const parsed = parseGitConfig(text);
  const names = ('variables' in parsed ? parsed.variables : []).flatMap(
    ({ section, subsection }) => (section === 'submodule' && subsection ? [subsection] : []),
  );
  return [...new Set(names)].filter(isPlain);
}

function isPlain(name: string): boolean {
  return name.length < 1024 && name.split('/').every((part) => !['', '.', '..'].includes(part));
}

function isInvalidText(name: string): boolean {
  return name.includes('\uFFFD');
}

function ancestorsOf(paths: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(
    [...paths].flatMap((path) => {
      const parts = path.split('/');
      return parts.map((_, depth) => parts.slice(0, depth + 1).join('/'));
    }),
  );
}
