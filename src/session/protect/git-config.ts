// Guards files that git's configuration refers to in a workspace: programs, hooks, included configuration. An unreadable
// file refuses the start, because it is then unknown what git would run. Pure.
import { type Checkout, configuredAt, isCheckedOut, worktreeAt } from '../git/checkouts.ts';
import { type GitVariable, keyOf, parseGitConfig } from '../git/config.ts';
import { isInclude, isOfReceiving } from '../git/config-keys.ts';
import { ConfigLimits } from '../git/config-limits.ts';
import { candidatesOf } from '../git/path-candidates.ts';
import type { GuardBuilder } from './guard-builder.ts';
import { resolveNamedPath } from './named-path.ts';
import { NamedPathGuard } from './named-path-guard.ts';
import { directoryOf, isWithin, joinPath, nameOf } from './path-text.ts';
import {
  type EntryKind,
  type OutsideText,
  type TreeFacts,
  type WalkEnd,
  walkPath,
} from './path-walk.ts';
import type { ConfiguredGit, RefusedPath } from './protection-types.ts';

/** Configuration files that apply to every repository. */
const hostConfigFiles = ['/etc/gitconfig', '~/.config/git/config', '~/.gitconfig'];

/** A configuration file, and the directories in which git runs the programs it names. */
interface ConfigFile {
  /** The path that git opens; absolute if outside of the workspace. */
  readonly path: string;
  readonly bases: readonly string[];
  /** Whether it belongs to a git directory in the workspace. */
  readonly own: boolean;
  /** The key that includes it; undefined if git reads it by default. */
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
  readonly #named: NamedPathGuard;

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
    this.#named = new NamedPathGuard(parts, tops);
  }

  protect(): void {
    const { git, worktrees, modules, everywhere, above } = this.#configured;
    const bases = [above ?? '', ...(everywhere ? topsOf(this.#linked) : [])];
    // The workspace itself. Other worktrees in it have guards of their own; two guards on the same files cancel each other.
    this.#read(git, bases);
    this.#builder.forLinks(() => {
      for (const one of worktrees) this.#read(one, bases);
      for (const module of modules) this.#read(module, this.#isApart(module) ? [module] : []);
    });
    const own = this.#lower.filter((one) => !this.#isApart(one.git));
    this.#readAll(
      hostConfigFiles.flatMap((path) =>
        resolveNamedPath(path, [], joinPath, this.#facts).flatMap((target) =>
          this.#include(target, [...bases, ...topsOf(own)]),
        ),
      ),
    );
  }

  /** A submodule that is checked out in another worktree. */
  #isApart(module: string): boolean {
    const { worktrees, everywhere } = this.#configured;
    return !everywhere && worktrees.some((worktree) => isWithin(module, worktree));
  }

  /** Both configuration files of a git directory, and all files they include. */
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

  /** Guards the files that one file names; returns the files it includes. */
  #readFile({ path, bases, by, own }: ConfigFile): ConfigFile[] {
    const { end } = walkPath(this.#facts, path);
    const key = JSON.stringify([path, bases]);
    if (this.#seen.has(key)) return [];
    this.#seen.add(key);
    if (this.#limits.isFileTooMuch()) return this.#refuse({ path, why: 'crowded' });
    // Only a link in place of the repository's own file leads there.
    if (end.kind === 'outside' && own) return this.#refuse({ path: end.link, why: 'unread' }, path);
    const found = this.#textOf(end);
    if (found === 'missing') return [];
    const target = end.kind === 'inside' ? end.path : path;
    if (found === 'unread') return this.#refuse({ path: target, why: 'unread-config', named: by });
    if (this.#limits.isTextTooMuch(found.text))
      return this.#refuse({ path: target, why: 'crowded' });
    const config = parseGitConfig(found.text);
    if ('line' in config)
      return this.#refuse({ path: target, why: 'unread-config', line: config.line });
    return config.variables.flatMap((variable) =>
      this.#builder.forKey(`${keyOf(variable)} in ${path}`, () =>
        this.#variable(variable, path, bases),
      ),
    );
  }

  #textOf(end: WalkEnd): OutsideText {
    // The agent cannot write files outside of the workspace, but they may name files inside.
    if (end.kind === 'outside') return this.#facts.outside?.(end.host) ?? 'missing';
    // Already reported when it was guarded.
    if (end.kind === 'stuck' || end.is === 'missing') return 'missing';
    const text = end.is === 'file' ? this.#facts.text(end.path) : undefined;
    return text === undefined ? 'unread' : { text };
  }

  #variable(variable: GitVariable, path: string, bases: readonly string[]): ConfigFile[] {
    const { value } = variable;
    // Enforces the time limit: processing a value takes time too.
    this.#facts.nowMs?.();
    if (this.#limits.isValueTooLong(value)) return this.#refuse({ path, why: 'crowded' });
    const isIncluding = isInclude(variable);
    const candidates = candidatesOf(variable);
    // Not valid UTF-8: the real name differs from the decoded one.
    if (value?.includes('\uFFFD') && (isIncluding || candidates.length > 0))
      return this.#refuse({ path, why: 'unread-config' });
    if (isIncluding && value)
      return resolveNamedPath(value, [directoryOf(path)], append, this.#facts).flatMap((target) =>
        this.#include(target, bases, `${keyOf(variable)} in ${path}`),
      );
    const { receiving = [] } = this.#configured;
    const places = isOfReceiving(variable) ? [...bases, ...receiving] : bases;
    for (const candidate of candidates) this.#named.guardCandidate(candidate, places);
    return [];
  }

  #include(path: string, bases: readonly string[], by?: string): ConfigFile[] {
    const { links, end } = walkPath(this.#facts, path);
    if (this.#named.isWritable(path, end)) return [];
    const isMissing = end.kind === 'inside' && end.is === 'missing' && links.length === 0;
    if (isMissing) this.#named.guardMissing(end.path, { kind: 'file', content: '' });
    else this.#builder.protect(path);
    // Its own includes are relative to the directory in its path, before the last link.
    const directory = walkPath(this.#facts, directoryOf(path)).end;
    if (directory.kind === 'stuck') return [];
    const top = directory.kind === 'inside' ? directory.path : directory.host;
    return [{ path: top === '' ? nameOf(path) : `${top}/${nameOf(path)}`, bases, own: false, by }];
  }

  #refuse(refused: Omit<RefusedPath, 'asked'>, asked = refused.path): [] {
    this.#builder.refuse({ ...refused, asked });
    return [];
  }
}

function append(base: string, path: string): string {
  return `${base}/${path}`;
}

function topsOf(checkouts: readonly Checkout[]): string[] {
  return checkouts.map(({ top }) => top);
}
