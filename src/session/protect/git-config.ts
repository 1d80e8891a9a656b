// Guards what git's configuration names in a workspace: programs, hooks, further configuration. What cannot be read refuses
// the start, since nobody knows then what git would run. Pure.
import { type Checkout, configuredAt, isCheckedOut, worktreeAt } from '../git/checkouts.ts';
import { type GitVariable, keyOf, parseGitConfig } from '../git/config.ts';
import { ConfigLimits } from '../git/config-limits.ts';
import { isGitState, isInclude, isOfReceiving } from '../git/keys.ts';
import { type Candidate, candidatesOf } from '../git/names.ts';
import type { GuardBuilder } from './guard-builder.ts';
import { placesOf } from './named-places.ts';
import { directoriesBetween, directoryOf, isWithin, joined, nameOf } from './path-text.ts';
import {
  type EntryKind,
  type OutsideText,
  type TreeFacts,
  type WayEnd,
  wayOf,
} from './path-walk.ts';
import type { RefusedPath } from './protection-types.ts';

export interface ConfiguredGit {
  /** The directory of git that all worktrees share. */
  readonly git: string;
  /** Directories in it: of further worktrees, and of submodules. */
  readonly worktrees: readonly string[];
  readonly modules: readonly string[];
  /** Those of them in which git runs hooks when something is pushed there. */
  readonly receiving?: readonly string[];
  /** What the agent may change after all. */
  readonly writable: readonly string[];
  readonly everywhere?: boolean | undefined;
  /** The top of the checkout, on the host, where that holds the workspace: git goes there before it runs anything. */
  readonly above?: string | undefined;
}

/** Where git looks for configuration that holds in every repository. */
const ofHost = ['/etc/gitconfig', '~/.config/git/config', '~/.gitconfig'];

/** A file of configuration, and the directories in which git runs what it names. */
interface ConfigFile {
  /** The path that git opens; absolute outside of the workspace. */
  readonly path: string;
  readonly bases: readonly string[];
  /** One of a directory of git in the workspace. */
  readonly own: boolean;
  /** The key that includes it; undefined for one that git reads by itself. */
  readonly by: string | undefined;
}

export function protectByConfig(
  builder: GuardBuilder,
  facts: TreeFacts,
  configured: ConfiguredGit,
): void {
  new ConfigGuard(builder, facts, configured).protect();
}

class ConfigGuard {
  readonly #builder: GuardBuilder;
  readonly #facts: TreeFacts;
  readonly #configured: ConfiguredGit;
  readonly #seen = new Set<string>();
  readonly #looked = new Set<string>();
  /** Where worktrees and submodules really are checked out: work goes on there. */
  #tops: readonly string[] = [];
  readonly #limits = new ConfigLimits();
  #isCrowded = false;

  constructor(builder: GuardBuilder, facts: TreeFacts, configured: ConfiguredGit) {
    this.#builder = builder;
    const kinds = new Map<string, EntryKind>();
    const kind = (path: string) => {
      const known = kinds.get(path);
      if (known !== undefined) return known;
      this.#limits.lookups += 1;
      const found = facts.kind(path);
      kinds.set(path, found);
      return found;
    };
    this.#facts = Object.assign(Object.create(facts) as TreeFacts, { kind });
    this.#configured = configured;
  }

  protect(): void {
    const { git, worktrees, modules, everywhere, above } = this.#configured;
    const linked = worktrees.flatMap((one) => worktreeAt(this.#facts, one));
    const lower = modules.flatMap((one) => configuredAt(this.#facts, one, `${one}/config`));
    this.#tops = topsOf([...linked, ...lower].filter((one) => isCheckedOut(this.#facts, one)));
    for (const top of this.#tops) this.#builder.addCheckout(top);
    const bases = [above ?? '', ...(everywhere ? topsOf(linked) : [])];
    // The workspace itself; other worktrees in it have a guard of their own, and two on the same files lift each other.
    this.#read(git, bases);
    this.#builder.forLinks(() => {
      for (const one of worktrees) this.#read(one, bases);
      for (const module of modules) this.#read(module, this.#isApart(module) ? [module] : []);
    });
    const own = lower.filter((one) => !this.#isApart(one.git));
    this.#readAll(
      ofHost.flatMap((path) =>
        placesOf(path, [], joined, this.#facts).flatMap((place) =>
          this.#include(place, [...bases, ...topsOf(own)]),
        ),
      ),
    );
  }

  /** A submodule of another worktree, which is checked out in that. */
  #isApart(module: string): boolean {
    const { worktrees, everywhere } = this.#configured;
    return !everywhere && worktrees.some((worktree) => isWithin(module, worktree));
  }

  /** Both files of a directory of git, and all that they include. */
  #read(git: string, tops: readonly string[]): void {
    const paths = ['config', 'config.worktree'].map((name) => `${git}/${name}`);
    const checkouts = paths.flatMap((path) => configuredAt(this.#facts, git, path));
    const own = this.#isApart(git) ? [] : topsOf(checkouts);
    const bases = tops.length + own.length > 0 ? [...new Set([...tops, ...own])] : [''];
    this.#readAll(paths.map((path) => ({ path, bases, own: !git.startsWith('/'), by: undefined })));
  }

  #readAll(files: readonly ConfigFile[]): void {
    const open = [...files];
    for (let next = open.pop(); next !== undefined; next = open.pop())
      open.push(...this.#readFile(next));
  }

  /** Guards what one file names; gives those that it includes. */
  #readFile({ path, bases, by, own }: ConfigFile): ConfigFile[] {
    const { end } = wayOf(this.#facts, path);
    const key = JSON.stringify([path, bases]);
    if (this.#seen.has(key)) return [];
    this.#seen.add(key);
    if (this.#limits.isFileTooMuch()) return this.#refuse({ path, why: 'crowded' });
    // Only a link of the repository's own file leads there.
    if (end.kind === 'outside' && own) return this.#refuse({ path: end.link, why: 'unread' }, path);
    const found = this.#textOf(end);
    if (found === 'missing') return [];
    const place = end.kind === 'inside' ? end.path : path;
    if (found === 'unread') return this.#refuse({ path: place, why: 'unread-config', named: by });
    if (this.#limits.isTextTooMuch(found.text))
      return this.#refuse({ path: place, why: 'crowded' });
    const config = parseGitConfig(found.text);
    if ('line' in config)
      return this.#refuse({ path: place, why: 'unread-config', line: config.line });
    return config.variables.flatMap((variable) =>
      this.#builder.named(`${keyOf(variable)} in ${path}`, () =>
        this.#variable(variable, path, bases),
      ),
    );
  }

  #textOf(end: WayEnd): OutsideText {
    // What is outside is not the agent's, but may name what is.
    if (end.kind === 'outside') return this.#facts.outside?.(end.host) ?? 'missing';
    // Whoever guarded it has said so.
    if (end.kind === 'stuck' || end.is === 'missing') return 'missing';
    const text = end.is === 'file' ? this.#facts.text(end.path) : undefined;
    return text === undefined ? 'unread' : { text };
  }

  #variable(variable: GitVariable, path: string, bases: readonly string[]): ConfigFile[] {
    const { value } = variable;
    // Where only so much time is left: what a value names takes some, too.
    this.#facts.nowMs?.();
    if (this.#limits.isValueTooLong(value)) return this.#refuse({ path, why: 'crowded' });
    const isIncluding = isInclude(variable);
    const candidates = candidatesOf(variable);
    // Bytes that are no text: another name than the one that is looked for.
    if (value?.includes('\uFFFD') && (isIncluding || candidates.length > 0))
      return this.#refuse({ path, why: 'unread-config' });
    if (isIncluding && value)
      return placesOf(value, [directoryOf(path)], appended, this.#facts).flatMap((place) =>
        this.#include(place, bases, `${keyOf(variable)} in ${path}`),
      );
    const { receiving = [] } = this.#configured;
    const places = isOfReceiving(variable) ? [...bases, ...receiving] : bases;
    for (const candidate of candidates) this.#candidate(candidate, places);
    return [];
  }

  #include(path: string, bases: readonly string[], by?: string): ConfigFile[] {
    const { links, end } = wayOf(this.#facts, path);
    if (this.#isWritable(path, end)) return [];
    const isMissing = end.kind === 'inside' && end.is === 'missing' && links.length === 0;
    if (isMissing) this.#missing(end.path, { kind: 'file', content: '' });
    else this.#builder.protect(path);
    // What it includes in turn is looked for from where its own name stands.
    const directory = wayOf(this.#facts, directoryOf(path)).end;
    if (directory.kind === 'stuck') return [];
    const top = directory.kind === 'inside' ? directory.path : directory.host;
    return [{ path: top === '' ? nameOf(path) : `${top}/${nameOf(path)}`, bases, own: false, by }];
  }

  #candidate(candidate: Candidate, bases: readonly string[]): void {
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
    if (this.#isWritable(place, end)) return;
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
        this.#missing(end.path, { kind: 'directory', content: '' });
      else if (candidate.missing) this.#builder.watch(place);
      if (candidate.missing && !candidate.sure) this.#withEnding(end.path);
    } else if (end.is !== 'directory' || candidate.directory)
      this.#builder.protect(place, end.path);
  }

  /** What Node finds, which adds an ending to a name. */
  #withEnding(path: string): void {
    for (const ending of endings) {
      const other = `${path}${ending}`;
      if (['file', 'link'].includes(this.#facts.kind(other))) this.#builder.protect(other);
    }
  }

  /** In a directory of git it can be made, so that nobody else makes it; elsewhere it would be a file of the project. */
  #missing(path: string, made: Parameters<GuardBuilder['protectOrMake']>[1]): void {
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

  #isWritable(place: string, end: WayEnd): boolean {
    const paths = end.kind === 'inside' ? [place, end.path] : [place];
    return paths.some((path) => this.#configured.writable.some((one) => isWithin(path, one)));
  }

  #refuse(refused: Omit<RefusedPath, 'asked'>, asked = refused.path): [] {
    this.#builder.refuse({ ...refused, asked });
    return [];
  }
}

function appended(base: string, path: string): string {
  return `${base}/${path}`;
}

function topsOf(checkouts: readonly Checkout[]): string[] {
  return checkouts.map(({ top }) => top);
}

const endings = ['.js', '.json', '.node', '.cjs', '.mjs', '.ts'];
