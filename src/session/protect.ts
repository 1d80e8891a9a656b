// Which inodes of a workspace are guarded so that the agent cannot change what the host later runs. Pure: what exists is told by
// the functions that are handed in. How guarding works: design section 8, docs/decisions.
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import { namedInConfig } from './git-config.ts';
import { cleanPath, type ProtectRequest } from './protect-request.ts';

export type EntryKind = 'file' | 'directory' | 'link' | 'other' | 'missing';

/** Paths are relative to the workspace; no component of what these functions look at is a link. */
export interface TreeFacts {
  readonly kind: (path: string) => EntryKind;
  /** Names in a directory; none if there is no such directory. */
  readonly names: (path: string) => readonly string[];
  /** Content of a small file; undefined if there is none. */
  readonly text: (path: string) => string | undefined;
}

/** A directory that may be entered and written in, but not be renamed or replaced: it gets a mount of its own. */
export interface Ancestor {
  readonly path: string;
  /** 1 for what lies directly in the workspace. */
  readonly depth: number;
  readonly by: GuardKind;
}

/**
 * By its owner, which is the stronger way, or by its group, where git looks at the owner: it refuses a repository that
 * is not the user's own. The owner of a file may give it to another group of theirs, so that guard is watched as well.
 */
export type GuardKind = 'owner' | 'group';

export interface Leaf {
  readonly path: string;
  /** `tree`: with all that is in it. `sealed`: the directory itself, so that nothing is made, renamed or removed in it. */
  readonly kind: 'file' | 'tree' | 'sealed';
  readonly by: GuardKind;
}

export interface Placeholder {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly content: string;
}

export interface ProtectionPlan {
  /** Parents before children. */
  readonly ancestors: readonly Ancestor[];
  readonly leaves: readonly Leaf[];
  /** Made before, removed afterwards; each is among the leaves, too. */
  readonly placeholders: readonly Placeholder[];
  /** Protected paths that do not exist: what is made there is watched. */
  readonly missing: readonly string[];
  /** What cannot be guarded, since it is a link or neither file nor directory. */
  readonly refused: readonly { readonly path: string; readonly kind: EntryKind }[];
}

export const nothingProtected: ProtectionPlan = {
  ancestors: [],
  leaves: [],
  placeholders: [],
  missing: [],
  refused: [],
};

/** In every git directory: what git runs or takes orders from. */
const gitFiles = ['config', 'config.worktree', 'commondir'];
const gitDirectoryPattern = /^\.git\/(.+)$/;
const gitlinksMax = 64;

/** Throws `unprotected-path` for a path that is none. */
export function protectionPlan(
  { paths, readonlyGit }: ProtectRequest,
  facts: TreeFacts,
): ProtectionPlan {
  const builder = new Builder(facts);
  const git = facts.kind('.git');
  const inGit: string[] = [];
  for (const path of paths.map(cleanPath)) {
    const inner = gitDirectoryPattern.exec(path)?.[1];
    if (inner !== undefined && git !== 'directory') continue;
    if (inner === undefined) builder.protect(path);
    else inGit.push(inner);
  }
  if (git === 'directory' && readonlyGit) builder.pass('.git');
  if (inGit.length > 0 && git === 'directory') protectGit(builder, facts, inGit);
  // A worktree or a submodule that is opened by itself: the file says where the host's git takes its configuration from.
  if (git === 'file' && paths.some((path) => path.startsWith('.git'))) builder.protect('.git');
  // What becomes a repository later is nobody's yet.
  if (git === 'missing' && paths.some((path) => path.startsWith('.git/'))) builder.protect('.git');
  if (git === 'link') builder.protect('.git');
  return builder.plan();
}

function protectGit(builder: Builder, facts: TreeFacts, inner: readonly string[]): void {
  for (const path of inner) builder.protectOrMake(`.git/${path}`, placeholderOf(path));
  for (const path of namedInConfig(facts.text('.git/config') ?? '')) builder.protect(path);
  for (const name of facts.names('.git/worktrees').slice(0, gitlinksMax)) {
    for (const file of ['commondir', 'gitdir', 'config.worktree'])
      builder.protect(`.git/worktrees/${name}/${file}`);
  }
  for (const module of gitModules(facts)) {
    // `commondir` cannot be held by a placeholder here: with one, git no longer knows where the submodule is checked out.
    builder.seal(module);
    for (const file of gitFiles) builder.protect(`${module}/${file}`);
    builder.protect(`${module}/hooks`);
    builder.seal(`${module}/info`);
    builder.protect(`${module}/info/attributes`);
  }
}

/** Directories of submodules, those of submodules in them as well. Their names may hold slashes. */
function gitModules(facts: TreeFacts): string[] {
  const found: string[] = [];
  const open = ['.git/modules'];
  for (let next = open.pop(); next !== undefined && found.length < gitlinksMax; next = open.pop()) {
    for (const name of facts.names(next)) {
      const path = `${next}/${name}`;
      if (facts.kind(path) !== 'directory') continue;
      if (facts.kind(`${path}/HEAD`) === 'file') {
        found.push(path);
        open.push(`${path}/modules`);
      } else if (path.split('/').length < 8) open.push(path);
    }
  }
  return found;
}

/** What the placeholder of a missing path below .git is; undefined where none is made. */
function placeholderOf(inner: string): Omit<Placeholder, 'path'> | undefined {
  switch (inner) {
    case 'hooks':
      return { kind: 'directory', content: '' };
    // An empty one would end every git with an error; "." means: this very directory.
    case 'commondir':
      return { kind: 'file', content: '.\n' };
    case 'config':
    case 'config.worktree':
    case 'info/attributes':
      return { kind: 'file', content: '' };
    default:
      return undefined;
  }
}

/** Collects, with every ancestor; what was said first about a path wins unless the later word is stricter. */
class Builder {
  readonly #facts: TreeFacts;
  readonly #ancestors = new Map<string, Ancestor>();
  readonly #leaves = new Map<string, Leaf>();
  readonly #placeholders: Placeholder[] = [];
  readonly #missing: string[] = [];
  readonly #refused = new Map<string, EntryKind>();

  constructor(facts: TreeFacts) {
    this.#facts = facts;
  }

  protect(path: string): void {
    const kind = this.#facts.kind(path);
    if (kind === 'missing') {
      if (!path.startsWith('.git/')) this.#missing.push(path);
      return;
    }
    if (kind === 'link' || kind === 'other') {
      this.#refused.set(path, kind);
      return;
    }
    // The file of a worktree is one of the things whose owner git looks at.
    this.#add({
      path,
      kind: kind === 'file' ? 'file' : 'tree',
      by: path === '.git' ? 'group' : 'owner',
    });
  }

  protectOrMake(path: string, made: Omit<Placeholder, 'path'> | undefined): void {
    // Its directory is sealed, so that what is missing beside it stays missing.
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (parent !== '.git') {
      if (this.#facts.kind(parent) === 'missing')
        this.#make({ path: parent, kind: 'directory', content: '' }, 'sealed');
      else this.seal(parent);
    }
    if (this.#facts.kind(path) !== 'missing') this.protect(path);
    else if (made) this.#make({ path, ...made }, made.kind === 'file' ? 'file' : 'tree');
  }

  /** A directory with a mount of its own, whatever is guarded in it. */
  pass(path: string): void {
    this.#ancestors.set(path, {
      path,
      depth: path.split('/').length,
      by: directoryGuard(path),
    });
  }

  seal(path: string): void {
    const kind = this.#facts.kind(path);
    if (kind === 'missing') return;
    if (kind === 'directory') this.#add({ path, kind: 'sealed', by: directoryGuard(path) });
    else this.#refused.set(path, kind);
  }

  plan(): ProtectionPlan {
    // What is sealed or guarded as a whole needs no mount to write through; what lies above it does.
    const sealed = [...this.#leaves.values()]
      .filter(({ kind }) => kind !== 'file')
      .map(({ path }) => path);
    const ancestors = [...this.#ancestors.values()].filter(
      ({ path }) => !sealed.some((above) => path === above || path.startsWith(`${above}/`)),
    );
    return {
      ancestors: ancestors.toSorted((one, other) => one.depth - other.depth),
      leaves: [...this.#leaves.values()],
      placeholders: this.#placeholders,
      missing: [...new Set(this.#missing)],
      refused: [...this.#refused].map(([path, kind]) => ({ path, kind })),
    };
  }

  #make(placeholder: Placeholder, kind: Leaf['kind']): void {
    this.#placeholders.push(placeholder);
    this.#add({ path: placeholder.path, kind, by: 'owner' });
  }

  #add(leaf: Leaf): void {
    const known = this.#leaves.get(leaf.path);
    if (known?.kind !== 'tree') this.#leaves.set(leaf.path, leaf);
    const parts = leaf.path.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const path = parts.slice(0, depth).join('/');
      const kind = this.#facts.kind(path);
      if (kind === 'link' || kind === 'other') this.#refused.set(path, kind);
      this.#ancestors.set(path, { path, depth, by: directoryGuard(path) });
    }
  }
}

/** Of a directory that is not guarded as a whole: those that are, or hold, directories of git belong to the user. */
function directoryGuard(path: string): GuardKind {
  return /^\.git(?:\/(?:worktrees|modules)(?:\/.*)?)?$/.test(path) ? 'group' : 'owner';
}

/** What is said about something that cannot be guarded. */
export function protectionRefusal(path: string, kind: EntryKind): CoiError {
  const what = kind === 'link' ? 'a symbolic link' : `a ${kind}`;
  return new CoiError('unprotected-path', `${quoted(path)} cannot be protected: it is ${what}`, {
    hint: `Replace it, or list it in [security] writable_paths if the agent may change it.`,
  });
}
