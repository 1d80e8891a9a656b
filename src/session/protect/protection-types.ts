// The protection plan of a workspace, as data.
import type { WalkFailure } from './path-walk.ts';

/** A directory (or the file `.git`) that may be entered and written, but not renamed or replaced: it gets its own mount. */
export interface Ancestor {
  readonly path: string;
  /** 1 for entries directly in the workspace. */
  readonly depth: number;
  readonly by: GuardKind;
  /** Whether it is a git directory or in one. */
  readonly inGit: boolean;
  /** Only its mount guards it, so the mount is read-only: a file that keeps its owner, or a directory locked as a whole. */
  readonly readonly: boolean;
  /** Its content was not completely inspected. */
  readonly whole?: true;
}

/**
 * By its owner, which is stronger, or by its group if git checks the owner: git refuses a repository of another user. The
 * owner of a file may change its group to another of their groups, so group guards are also watched.
 */
export type GuardKind = 'owner' | 'group';

export interface Leaf {
  readonly path: string;
  /**
   * `tree`: with all its content. `sealed`: the directory itself, so that nothing is created, renamed or removed in it.
   * `link`: the link itself, so that it keeps its target.
   */
  readonly kind: 'file' | 'tree' | 'sealed' | 'link';
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
  /** Created before and removed after the session; each is also a leaf. */
  readonly placeholders: readonly Placeholder[];
  /** Protected paths that do not exist: their creation is watched. */
  readonly missing: readonly string[];
  readonly refused: readonly RefusedPath[];
  /** Leaves that come from git's configuration, with the key and its file. */
  readonly named: ReadonlyMap<string, string>;
  /** Git directories, which contain worktrees and submodules. */
  readonly git: readonly string[];
  /** Git's directories that were not completely inspected: they are locked with all their content. */
  readonly whole: readonly string[];
}

/** A path that cannot be guarded. */
export interface RefusedPath {
  /** Without links. */
  readonly path: string;
  /**
   * `other`: neither file nor directory. `workspace`: contains the workspace or its git directory. `dangling`: a dangling
   * link of git. `unread`: leads out of the workspace, so it is unknown what git would run. `mounted`: the host has a mount
   * over it, and the session would show what is below. `git-link`: a link that has to keep its owner. `unread-config`: it
   * is unknown what git would run. `crowded`: git's configuration names too much. `links`: too many links. `worktree`: in a
   * worktree, which is guarded separately from its repository. `large`: too many files.
   */
  readonly why:
    | WalkFailure
    | 'other'
    | 'workspace'
    | 'dangling'
    | 'unread'
    | 'mounted'
    | 'git-link'
    | 'unread-config'
    | 'crowded'
    | 'links'
    | 'worktree'
    | 'large';
  /** The configured path that led there. */
  readonly asked: string;
  /** The git configuration key that names it, with its file. */
  readonly named?: string | undefined;
  /** Caused by a worktree or a submodule, not by the repository itself. */
  readonly forLink?: true;
  /** The line that cannot be parsed. */
  readonly line?: number | undefined;
}

export const nothingProtected: ProtectionPlan = {
  ancestors: [],
  leaves: [],
  placeholders: [],
  missing: [],
  refused: [],
  named: new Map(),
  git: [],
  whole: [],
};

/** The git directories of a workspace whose configuration is read for paths in the workspace. */
export interface ConfiguredGit {
  /** The git directory that all worktrees share. */
  readonly git: string;
  /** Git directories of other worktrees and of submodules in it. */
  readonly worktrees: readonly string[];
  readonly modules: readonly string[];
  /** Those in which git runs hooks on a push. */
  readonly receiving?: readonly string[];
  /** Exceptions that the agent may change. */
  readonly writable: readonly string[];
  readonly everywhere?: boolean | undefined;
  /** The root of the enclosing checkout, on the host: git changes into it before it runs anything. */
  readonly above?: string | undefined;
}
