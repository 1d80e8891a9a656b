// Which worktrees and submodules of a git directory are looked at one by one. Who writes in a repository can make any number
// of them, which the next start would have to look at: beyond a limit they are held as a whole (decision 85). Pure.
import type { GuardBuilder } from '../protect/guard-builder.ts';
import { isWithin } from '../protect/path-text.ts';
import { type TreeFacts, wayOf } from '../protect/path-walk.ts';
import { parseGitConfig } from './config.ts';

/** Measured: a start with so many takes some 0.2 s longer than one without. */
export const strangersMax = 250;
/** Those that the configuration of the host names. */
const namedMax = 500;
/** Of submodules in submodules, and of parts in a name. */
const depthMax = 6;
/** Of one directory of git, those that are looked at in all. */
export const modulesMax = strangersMax + namedMax;
/** Nobody lists a directory further. */
const listedMax = modulesMax + 1;

/** What is looked at of what nobody vouches for, if it is not too much. */
export interface Looking {
  readonly worktrees: boolean;
  readonly modules: boolean;
  /** Submodules that git's configuration names. */
  readonly named: boolean;
}

export class GitLinks {
  readonly #builder: GuardBuilder;
  readonly #facts: TreeFacts;
  readonly #looking: Looking;
  #strangers = 0;
  /** How many more are looked at. */
  #left = strangersMax;
  #named = 0;

  constructor(builder: GuardBuilder, facts: TreeFacts, looking: Looking) {
    this.#builder = builder;
    this.#facts = facts;
    this.#looking = looking;
  }

  /** Entries that nobody vouches for, whether they were looked at or not. */
  get strangers(): number {
    return this.#strangers;
  }

  /** Git makes no links there: they would let an agent seal whatever they lead to. */
  worktrees(git: string): string[] {
    const path = `${git}/worktrees`;
    const top = this.#directory(path);
    if (top === undefined) return [];
    const known = new Set(this.#facts.known?.(top));
    const others = this.#others(top, (name) => known.has(name), this.#looking.worktrees);
    if (!others) this.#builder.holdWhole(top, 'others');
    return [...known, ...(others ?? [])].flatMap((name) => {
      const isLink = this.#facts.kind(`${top}/${name}`) === 'link';
      return (isLink ? undefined : this.#lead(`${path}/${name}`)) ?? [];
    });
  }

  /** Directories of submodules, those of submodules in them as well. */
  modules(git: string, names: readonly string[]): string[] {
    const top = this.#modulesAt(git);
    if (top === undefined) return [];
    const sure = new Set([...this.#vouched(git, names, 0), ...this.#known(top)]);
    const others = this.#strange(top, sure);
    // An agent can lead a link anywhere, and have the sources of the project held.
    if (!others && top === `${git}/modules`) this.#builder.holdWhole(top, 'all');
    return [...sure, ...(others ?? [])];
  }

  /** Git makes no link there, but follows it. One that leads to what holds the repository, or lies in it, is nobody's. */
  #modulesAt(git: string): string | undefined {
    const path = `${git}/modules`;
    if (this.#facts.kind(path) !== 'link') return this.#directory(path);
    const { end } = wayOf(this.#facts, path);
    if (end.kind !== 'inside' || end.is !== 'directory' || end.path === '') return undefined;
    if (isWithin(git, end.path) || isWithin(end.path, git)) return undefined;
    return this.#lead(path);
  }

  /** Submodules that a file of configuration names, as `git submodule init` writes them there. */
  names(config: string): string[] {
    const { end } = wayOf(this.#facts, config);
    const text = end.kind === 'inside' ? this.#facts.text(end.path) : undefined;
    return text === undefined ? [] : submodulesIn(text);
  }

  /** What the guarded configuration of the host names is the host's, and what those name in turn. */
  #vouched(git: string, names: readonly string[], depth: number): string[] {
    if (!this.#looking.named || depth > depthMax) return [];
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

  /** Those that are guarded already. */
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

  /** The others; undefined where they are too many, or too deep. */
  #strange(modules: string, sure: ReadonlySet<string>): string[] | undefined {
    const ways = waysTo(sure);
    const found = new Set<string>();
    const seen = new Set<string>();
    const open = [{ path: modules, parts: 0, nested: 0 }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const top = this.#directory(next.path);
      if (top === undefined || seen.has(top)) continue;
      seen.add(top);
      const isSure = (name: string) => ways.has(`${top}/${name}`);
      const others = this.#others(top, isSure, this.#looking.modules);
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
            // Nothing is there, as in most submodules.
            continue;
          else return undefined;
        open.push(below);
      }
    }
    return [...found];
  }

  /** Names in a directory besides those; undefined where they are too many. */
  #others(top: string, isSure: (name: string) => boolean, looks: boolean): string[] | undefined {
    const isWhole = this.#facts.isWhole?.(top) ?? false;
    const max = looks && !isWhole ? this.#left : 0;
    const others = this.#facts
      .names(top, listedMax)
      .filter((name) => !isSure(name) && !this.#facts.isLate(`${top}/${name}`));
    this.#strangers += others.length;
    // A name that is no text is not found again: nothing in it could be guarded.
    if (isWhole || others.length > max || others.some(isNoText)) return undefined;
    this.#left -= others.length;
    return others;
  }

  /** A link is none: an agent would have whatever it leads to sealed, or held for reading only. */
  #directory(path: string): string | undefined {
    return this.#facts.kind(path) === 'directory' ? path : undefined;
  }

  #lead(path: string): string | undefined {
    const found = this.#builder.lead(path);
    return found?.is === 'directory' && !this.#facts.isLate(found.path) ? found.path : undefined;
  }

  /** In old repositories it is a link. */
  #isModule(path: string): boolean {
    return ['file', 'link'].includes(this.#facts.kind(`${path}/HEAD`));
  }
}

/** Names of submodules, as far as they can be part of a path. */
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

function isNoText(name: string): boolean {
  return name.includes('\uFFFD');
}

function waysTo(paths: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(
    [...paths].flatMap((path) => {
      const parts = path.split('/');
      return parts.map((_, depth) => parts.slice(0, depth + 1).join('/'));
    }),
  );
}
