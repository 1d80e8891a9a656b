// The submodules that git's index names. Git of the host goes into each of them by itself (`git status`, `git diff`), and runs
// what its configuration says, so each is guarded as a repository is, with the file `.git` that leads there. One that is not
// checked out is sealed, so that no repository can be made in its place. What the index names later: daemon/protect/. Pure.

import { resolve } from 'node:path';
import { keyOf, parseGitConfig } from './git-config.ts';
import { gitFileTarget } from './git-file.ts';
import type { HashBytes } from './git-index.ts';
import type { GuardBuilder } from './guard-builder.ts';
import type { EntryKind, TreeFacts } from './way.ts';

/** An index, and where its checkout is. */
export interface IndexPlace {
  /** Its directory; absolute outside of the workspace. */
  readonly directory: string;
  /** Relative path of the checkout, empty for the workspace; undefined where that is not in it: then it is only watched. */
  readonly top: string | undefined;
  /** What it names is guarded here. In a worktree in the workspace a session of its own may guard it. */
  readonly isGuarded: boolean;
  readonly hashBytes: HashBytes;
}

/** What the index named when the first session began: with a repository in it, or without one. */
export type SubmoduleState = 'checked-out' | 'empty';

/** By path; and of an index itself that could not be read then, or names directories without what is in them. */
export type KnownSubmodules = Readonly<Record<string, SubmoduleState | 'unread' | 'sparse'>>;

/** `isSparse`: it names directories without what is in them. */
export interface IndexSubmodules {
  /** Below its checkout. */
  readonly paths: readonly string[];
  readonly isSparse: boolean;
}

/** More refuses the start: who has them has other tools. */
export const submodulesMax = 1000;

export class GitSubmodules {
  readonly #builder: GuardBuilder;
  readonly #facts: TreeFacts;
  /** Guards a directory of git in a submodule. */
  readonly #protect: (git: string, top: string) => void;
  readonly #indexes = new Map<string, IndexPlace>();
  readonly #found = new Map<string, KnownSubmodules[string]>();

  constructor(
    builder: GuardBuilder,
    facts: TreeFacts,
    protect: (git: string, top: string) => void,
  ) {
    this.#builder = builder;
    this.#facts = facts;
    this.#protect = protect;
  }

  get indexes(): readonly IndexPlace[] {
    return [...this.#indexes.values()];
  }

  /** By their paths in the workspace. */
  get found(): KnownSubmodules {
    return Object.fromEntries(this.#found);
  }

  /** What happens to the index in a directory of git is seen, wherever its checkout is. */
  watch(directory: string): void {
    if (!this.#indexes.has(directory))
      this.#indexes.set(directory, { directory, top: undefined, isGuarded: false, hashBytes: 20 });
  }

  /** All that the index in a directory of git names; `config` is the text of the repository's configuration. */
  of(directory: string, top: string, config: string | undefined, isGuarded = true): void {
    if (this.#indexes.get(directory)?.top !== undefined) return;
    const place = { directory, top, isGuarded, hashBytes: hashBytesIn(config) };
    this.#indexes.set(directory, place);
    const index = this.#facts.submodules?.(place);
    this.#noteIndex(`${directory}/index`, index);
    if (typeof index !== 'object') return;
    for (const path of index.paths) {
      const at = pathIn(top, path);
      if (at === undefined || this.#found.has(at)) continue;
      if (this.#found.size >= submodulesMax) {
        this.#builder.refuse({ path: at, why: 'submodules', asked: at });
        return;
      }
      if (isGuarded) this.#guard(at);
      else this.#note(at, this.#facts.kind(`${at}/.git`));
    }
  }

  /** The same for a directory of git outside of the workspace, as a linked worktree has it. */
  outside(git: string, top: string): void {
    if (!this.#facts.submodules) return;
    const text = (path: string) => {
      const found = this.#facts.outside?.(path);
      return typeof found === 'object' ? found.text : undefined;
    };
    const common = text(`${git}/commondir`)?.trim();
    this.of(git, top, text(`${common === undefined ? git : resolve(git, common)}/config`));
  }

  #noteIndex(path: string, index: IndexSubmodules | 'missing' | 'unread' | undefined): void {
    const before = this.#facts.knownSubmodules;
    const isSparse = typeof index === 'object' && index.isSparse;
    const now = index === 'unread' ? index : isSparse ? 'sparse' : undefined;
    const state = before ? knownAs(before, path) : now;
    if (state !== undefined) this.#found.set(path, state);
  }

  /** What it was when the first session began; undefined for what the index names since then. */
  #note(path: string, is: EntryKind): KnownSubmodules[string] | undefined {
    const before = this.#facts.knownSubmodules;
    const now = is === 'missing' ? 'empty' : 'checked-out';
    const state = before ? knownAs(before, path) : now;
    if (state !== undefined) this.#found.set(path, state);
    return state;
  }

  #guard(path: string): void {
    const found = this.#builder.lead(path);
    const isDirectory = found?.is === 'directory';
    const is = isDirectory ? this.#facts.kind(`${found.path}/.git`) : 'missing';
    const state = this.#note(path, is);
    // The workspace itself, or what holds it.
    if (!found || found.path === '') return;
    if (state !== 'checked-out' || is === 'missing') {
      if (isDirectory) this.#builder.seal(path);
      else if (found.is === 'missing') this.#builder.sealOrMake(this.#firstMissing(found.path));
      // Checked out by the host meanwhile: inside nobody writes in it until the sessions have ended.
      if (state !== undefined && is !== 'missing') this.#builder.protect(`${found.path}/.git`);
      return;
    }
    this.#builder.addCheckout(found.path);
    if (is === 'file') this.#file(found.path);
    else this.#directory(found.path);
  }

  /** It is made, and nothing can be made in it. */
  #firstMissing(path: string): string {
    const parts = path.split('/');
    const paths = parts.map((_, depth) => parts.slice(0, depth + 1).join('/'));
    return paths.find((one) => this.#facts.kind(one) === 'missing') ?? path;
  }

  #file(top: string): void {
    const file = `${top}/.git`;
    this.#builder.hold(file);
    const named = gitFileTarget(this.#facts.text(file));
    if (named === undefined) return;
    const target = this.#builder.lead(named.startsWith('/') ? named : `${top}/${named}`, file);
    if (target?.is === 'directory' && target.path !== '') this.#protect(target.path, top);
    // In a linked worktree, whose repository is guarded by itself.
    else if (!target && named.startsWith('/')) this.outside(named, top);
  }

  #directory(top: string): void {
    const found = this.#builder.lead(`${top}/.git`);
    if (found?.is === 'directory') this.#protect(found.path, top);
  }
}

/** Also of a path such as `constructor`, which an agent chose. */
export function knownAs(known: KnownSubmodules, path: string): KnownSubmodules[string] | undefined {
  return Object.hasOwn(known, path) ? known[path] : undefined;
}

/** Undefined for what git makes no submodule at. */
export function pathIn(top: string, path: string): string | undefined {
  const isPlain = path
    .split('/')
    .every((part) => !['', '.', '..', '.git', '\uFFFD'].includes(part.toLowerCase()));
  if (!isPlain || path.includes('\uFFFD') || path.length > 4000) return undefined;
  return top === '' ? path : `${top}/${path}`;
}

export function hashBytesIn(config: string | undefined): HashBytes {
  const parsed = config === undefined ? undefined : parseGitConfig(config);
  const variables = parsed && 'variables' in parsed ? parsed.variables : [];
  const format = variables.findLast((one) => keyOf(one) === 'extensions.objectformat')?.value;
  return format?.toLowerCase() === 'sha256' ? 32 : 20;
}
