// Guards what git's configuration names in a workspace: programs, hooks, further configuration. What cannot be read refuses
// the start, since nobody knows then what git would run. Pure.
import { type Checkout, configuredAt, isCheckedOut, worktreeAt } from '../git/checkouts.ts';
import { type GitVariable, keyOf, parseGitConfig } from '../git/config.ts';
import { ConfigLimits } from '../git/config-limits.ts';
import { isInclude, isOfReceiving } from '../git/keys.ts';
import { candidatesOf } from '../git/names.ts';
import type { GuardBuilder } from './guard-builder.ts';
import { NamedGuard } from './named-guard.ts';
import { placesOf } from './named-places.ts';
import { directoryOf, isWithin, joined, nameOf } from './path-text.ts';
import {
  type EntryKind,
  type OutsideText,
  type TreeFacts,
  type WayEnd,
  wayOf,
} from './path-walk.ts';
import type { ConfiguredGit, RefusedPath } from './protection-types.ts';

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
  readonly #limits = new ConfigLimits();
  readonly #linked: readonly Checkout[];
  readonly #lower: readonly Checkout[];
  readonly #named: NamedGuard;

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
    this.#linked = configured.worktrees.flatMap((one) => worktreeAt(this.#facts, one));
    this.#lower = configured.modules.flatMap((one) =>
      configuredAt(this.#facts, one, `${one}/config`),
    );
    const tops = topsOf(
      [...this.#linked, ...this.#lower].filter((one) => isCheckedOut(this.#facts, one)),
    );
    for (const top of tops) builder.addCheckout(top);
    const parts = { builder, facts: this.#facts, configured, limits: this.#limits };
    this.#named = new NamedGuard(parts, tops);
  }

  protect(): void {
    const { git, worktrees, modules, everywhere, above } = this.#configured;
    const bases = [above ?? '', ...(everywhere ? topsOf(this.#linked) : [])];
    // The workspace itself; other worktrees in it have a guard of their own, and two on the same files lift each other.
    this.#read(git, bases);
    this.#builder.forLinks(() => {
      for (const one of worktrees) this.#read(one, bases);
      for (const module of modules) this.#read(module, this.#isApart(module) ? [module] : []);
    });
    const own = this.#lower.filter((one) => !this.#isApart(one.git));
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
    for (const candidate of candidates) this.#named.candidate(candidate, places);
    return [];
  }

  #include(path: string, bases: readonly string[], by?: string): ConfigFile[] {
    const { links, end } = wayOf(this.#facts, path);
    if (this.#named.isWritable(path, end)) return [];
    const isMissing = end.kind === 'inside' && end.is === 'missing' && links.length === 0;
    if (isMissing) this.#named.missing(end.path, { kind: 'file', content: '' });
    else this.#builder.protect(path);
    // What it includes in turn is looked for from where its own name stands.
    const directory = wayOf(this.#facts, directoryOf(path)).end;
    if (directory.kind === 'stuck') return [];
    const top = directory.kind === 'inside' ? directory.path : directory.host;
    return [{ path: top === '' ? nameOf(path) : `${top}/${nameOf(path)}`, bases, own: false, by }];
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
