// Follows a path of a workspace as the host's kernel does, link by link, and says what it leads through. Pure.

export type EntryKind = 'file' | 'directory' | 'link' | 'other' | 'missing';

/** Where an absolute path of the host lies. `within`: that path of the workspace. `tangled`: it leads out and back in. */
export type HostPlace =
  | { readonly kind: 'outside' }
  | { readonly kind: 'tangled' }
  | { readonly kind: 'within'; readonly parts: readonly string[] };

/** `unread`: git may read what coi cannot. */
export type OutsideText =
  /** `at`: its path without links. */
  { readonly text: string; readonly at?: string } | 'missing' | 'unread';

/** Paths are relative to the workspace; no component of what these functions look at is a link. */
export interface TreeFacts {
  readonly kind: (path: string) => EntryKind;
  /** Names in a directory, of a large one only so many; none if there is no such directory. */
  readonly names: (path: string, max?: number) => readonly string[];
  /** Content of a small file; undefined if there is none. */
  readonly text: (path: string) => string | undefined;
  /** What is written in a link; undefined if it is none. */
  readonly link: (path: string) => string | undefined;
  /** What is anywhere below a directory; undefined where that is more, or lies deeper, than is looked at. */
  readonly tree: (path: string, entriesMax: number) => Tree | undefined;
  /** The workspace's own path on the host, without links. */
  readonly root: string;
  readonly place: (hostPath: string) => HostPlace;
  /** A file of the host outside of the workspace, with its owner's rights; not asked for where that is left out. */
  readonly outside?: ((hostPath: string) => OutsideText) | undefined;
  /** Home of the workspace's owner, as the host's list of users has it. */
  readonly home?: string | undefined;
  /** Something is mounted there on the host, which a mount of the workspace does not show. */
  readonly isMountedOver: (path: string) => boolean;
  /** Made by the agent or the host after the session began, in directories of git that cannot be guarded any more. */
  readonly isLate: (path: string) => boolean;
  /** Names in a directory of what is guarded already, or belongs to the session that begins: looked at whatever else there is. */
  readonly known?: (directory: string) => readonly string[];
  /** What running sessions hold as a whole. */
  readonly isWhole?: (path: string) => boolean;
  /** For what may take only so long. */
  readonly nowMs?: () => number;
}

export interface Tree {
  readonly links: readonly string[];
  /** How much there is, links and all. */
  readonly entries: number;
}

/** Why a path cannot be followed to its end. */
export type Tangle = 'loop' | 'tangled';

export type WayEnd =
  /** `path` has no links and is '' for the workspace itself; it is missing at the first part that is not there. */
  | { readonly kind: 'inside'; readonly path: string; readonly is: EntryKind }
  /** It leads out of the workspace: what is there is the host's, and is not there in the container. */
  | { readonly kind: 'outside'; readonly link: string; readonly host: string }
  | { readonly kind: 'stuck'; readonly link: string; readonly why: Tangle };

export interface Way {
  /** The links on it, each by a path without links: who replaces one leads elsewhere. */
  readonly links: readonly string[];
  /** Directories that are passed through and left again by `..`: the same holds for them. */
  readonly passed: readonly string[];
  readonly end: WayEnd;
}

/** As many as the kernel follows. */
export const linksMax = 40;

type Facts = Pick<TreeFacts, 'kind' | 'link' | 'root' | 'place'>;

/** Where a path leads that is seen from a directory of the workspace, which has no links on its own way. */
export function wayOf(facts: Facts, path: string, from = ''): Way {
  return new Walk(facts, from).to(path);
}

class Walk {
  readonly #facts: Facts;
  readonly #links: string[] = [];
  readonly #passed = new Set<string>();
  #done: string[];
  #rest: string[] = [];

  constructor(facts: Facts, from: string) {
    this.#facts = facts;
    this.#done = partsOf(from);
  }

  to(path: string): Way {
    const end = this.#enter(path) ?? this.#walk();
    return { links: this.#links, passed: [...this.#passed], end };
  }

  #walk(): WayEnd {
    for (let part = this.#rest.shift(); part !== undefined; part = this.#rest.shift()) {
      const end = part === '..' ? this.#up() : this.#step(part);
      if (end) return end;
    }
    const path = this.#done.join('/');
    return { kind: 'inside', path, is: path === '' ? 'directory' : this.#facts.kind(path) };
  }

  /** One part further down. */
  #step(part: string): WayEnd | undefined {
    this.#done.push(part);
    const path = this.#done.join('/');
    const is = this.#facts.kind(path);
    if (is === 'link') return this.#follow(path);
    if (is === 'directory' || (is !== 'missing' && this.#rest.length === 0)) return undefined;
    // What is below something that is no directory is as missing as the rest of what is not there.
    if (is === 'other') return { kind: 'inside', path, is };
    const below = this.#rest.includes('..') ? [] : this.#rest;
    return { kind: 'inside', path: [...this.#done, ...below].join('/'), is: 'missing' };
  }

  #follow(link: string): WayEnd | undefined {
    this.#links.push(link);
    this.#done.pop();
    const text = this.#facts.link(link);
    if (this.#links.length > linksMax) return { kind: 'stuck', link, why: 'loop' };
    return text === undefined ? { kind: 'inside', path: link, is: 'other' } : this.#enter(text);
  }

  /** Goes on with that text before what is left. */
  #enter(text: string): WayEnd | undefined {
    this.#rest = [...partsOf(text), ...this.#rest];
    return text.startsWith('/') ? this.#fromHost('') : undefined;
  }

  #up(): WayEnd | undefined {
    const { root } = this.#facts;
    if (this.#done.length === 0) return this.#fromHost(root.slice(0, root.lastIndexOf('/')));
    this.#passed.add(this.#done.join('/'));
    this.#done.pop();
    return undefined;
  }

  /** What is left of the way begins at that directory of the host ('' for the top). */
  #fromHost(directory: string): WayEnd | undefined {
    const link = this.#links.at(-1) ?? '';
    const host = `${directory}/${this.#rest.join('/')}`;
    const place = this.#facts.place(host);
    if (place.kind === 'outside') return { kind: 'outside', link, host };
    if (place.kind === 'tangled') return { kind: 'stuck', link, why: 'tangled' };
    this.#done = [];
    this.#rest = [...place.parts];
    return undefined;
  }
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
