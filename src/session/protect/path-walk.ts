// Follows a workspace path link by link, as the host's kernel does, and records what it passes. Pure.

export type EntryKind = 'file' | 'directory' | 'link' | 'other' | 'missing';

/** Location of an absolute host path. `within`: that workspace path. `tangled`: it leaves the workspace and returns. */
export type HostLocation =
  | { readonly kind: 'outside' }
  | { readonly kind: 'tangled' }
  | { readonly kind: 'within'; readonly parts: readonly string[] };

/** `unread`: git may be able to read it, coi is not. */
export type OutsideText =
  /** `at`: its path without links. */
  { readonly text: string; readonly at?: string } | 'missing' | 'unread';

/** Paths are relative to the workspace and contain no links, except for the last component. */
export interface TreeFacts {
  readonly kind: (path: string) => EntryKind;
  /** Names in a directory, at most `max`; empty if it does not exist. */
  readonly names: (path: string, max?: number) => readonly string[];
  /** Content of a small file; undefined if there is none. */
  readonly text: (path: string) => string | undefined;
  /** The target text of a link; undefined if it is not a link. */
  readonly link: (path: string) => string | undefined;
  /** Everything below a directory; undefined if that is too much or too deep. */
  readonly tree: (path: string, entriesMax: number) => Tree | undefined;
  /** The workspace's own path on the host, without links. */
  readonly root: string;
  readonly locate: (hostPath: string) => HostLocation;
  /** A host file outside of the workspace, read with the workspace owner's rights. Optional. */
  readonly outside?: ((hostPath: string) => OutsideText) | undefined;
  /** Home of the workspace's owner in the user database. */
  readonly home?: string | undefined;
  /** Whether the host has a mount there, which a mount of the workspace does not include. */
  readonly isMountedOver: (path: string) => boolean;
  /** Whether it was created after the session began, in a git directory that can no longer be guarded. */
  readonly isLate: (path: string) => boolean;
  /** Names in a directory that are already guarded or belong to the new session: always inspected. */
  readonly known?: (directory: string) => readonly string[];
  /** Whether running sessions have locked it as a whole. */
  readonly isWhole?: (path: string) => boolean;
  /** Clock for time limits. */
  readonly nowMs?: () => number;
}

export interface Tree {
  readonly links: readonly string[];
  /** Number of entries, including links. */
  readonly entries: number;
}

/** Why a path cannot be followed to its end. */
export type WalkFailure = 'loop' | 'tangled';

export type WalkEnd =
  /** `path` has no links and is '' for the workspace itself. */
  | { readonly kind: 'inside'; readonly path: string; readonly is: EntryKind }
  /** Outside of the workspace: a host path that does not exist in the container. */
  | { readonly kind: 'outside'; readonly link: string; readonly host: string }
  | { readonly kind: 'stuck'; readonly link: string; readonly why: WalkFailure };

export interface WalkResult {
  /** The links on the way, each as a path without links: replacing one changes the target. */
  readonly links: readonly string[];
  /** Directories that are entered and left again with `..`: replacing one changes the target too. */
  readonly passed: readonly string[];
  readonly end: WalkEnd;
}

/** The kernel's limit. */
export const linksMax = 40;

type WalkFacts = Pick<TreeFacts, 'kind' | 'link' | 'root' | 'locate'>;

/** Follows a path from a workspace directory; `from` has no links. */
export function walkPath(facts: WalkFacts, path: string, from = ''): WalkResult {
  return new PathWalk(facts, from).to(path);
}

class PathWalk {
  readonly #facts: WalkFacts;
  readonly #links: string[] = [];
  readonly #passed = new Set<string>();
  #done: string[];
  #rest: string[] = [];

  constructor(facts: WalkFacts, from: string) {
    this.#facts = facts;
    this.#done = partsOf(from);
  }

  to(path: string): WalkResult {
    const end = this.#enter(path) ?? this.#walk();
    return { links: this.#links, passed: [...this.#passed], end };
  }

  #walk(): WalkEnd {
    for (let part = this.#rest.shift(); part !== undefined; part = this.#rest.shift()) {
      const end = part === '..' ? this.#up() : this.#step(part);
      if (end) return end;
    }
    const path = this.#done.join('/');
    return { kind: 'inside', path, is: path === '' ? 'directory' : this.#facts.kind(path) };
  }

  /** One part further down. */
  #step(part: string): WalkEnd | undefined {
    this.#done.push(part);
    const path = this.#done.join('/');
    const is = this.#facts.kind(path);
    if (is === 'link') return this.#follow(path);
    if (is === 'directory' || (is !== 'missing' && this.#rest.length === 0)) return undefined;
    // A path below a file counts as missing.
    if (is === 'other') return { kind: 'inside', path, is };
    const below = this.#rest.includes('..') ? [] : this.#rest;
    return { kind: 'inside', path: [...this.#done, ...below].join('/'), is: 'missing' };
  }

  #follow(link: string): WalkEnd | undefined {
    this.#links.push(link);
    this.#done.pop();
    const text = this.#facts.link(link);
    if (this.#links.length > linksMax) return { kind: 'stuck', link, why: 'loop' };
    return text === undefined ? { kind: 'inside', path: link, is: 'other' } : this.#enter(text);
  }

  /** Puts that text before the remaining path. */
  #enter(text: string): WalkEnd | undefined {
    this.#rest = [...partsOf(text), ...this.#rest];
    return text.startsWith('/') ? this.#fromHost('') : undefined;
  }

  #up(): WalkEnd | undefined {
    const { root } = this.#facts;
    if (this.#done.length === 0) return this.#fromHost(root.slice(0, root.lastIndexOf('/')));
    this.#passed.add(this.#done.join('/'));
    this.#done.pop();
    return undefined;
  }

  /** The remaining path begins at that host directory ('' for the root). */
  #fromHost(directory: string): WalkEnd | undefined {
    const link = this.#links.at(-1) ?? '';
    const host = `${directory}/${this.#rest.join('/')}`;
    const location = this.#facts.locate(host);
    if (location.kind === 'outside') return { kind: 'outside', link, host };
    if (location.kind === 'tangled') return { kind: 'stuck', link, why: 'tangled' };
    this.#done = [];
    this.#rest = [...location.parts];
    return undefined;
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
