// What of a workspace is guarded, as data.
import type { Tangle } from './path-walk.ts';

/** A directory (or the file `.git`) that may be entered and written in, but not be renamed or replaced: it gets a mount of its own. */
export interface Ancestor {
  readonly path: string;
  /** 1 for what lies directly in the workspace. */
  readonly depth: number;
  readonly by: GuardKind;
  /** A directory of git, or in one. */
  readonly inGit: boolean;
  /** Its mount is what holds it, so that mount is for reading only: a file that keeps its owner, or what is held as a whole. */
  readonly readonly: boolean;
  /** Nobody looked at all that is in it. */
  readonly whole?: true;
}

/**
 * By its owner, which is the stronger way, or by its group, where git looks at the owner: it refuses a repository that
 * is not the user's own. The owner of a file may give it to another group of theirs, so that guard is watched as well.
 */
export type GuardKind = 'owner' | 'group';

export interface Leaf {
  readonly path: string;
  /**
   * `tree`: with all that is in it. `sealed`: the directory itself, so that nothing is made, renamed or removed in it.
   * `link`: the link itself, so that it goes on leading where it leads.
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
  /** Made before, removed afterwards; each is among the leaves, too. */
  readonly placeholders: readonly Placeholder[];
  /** Protected paths that do not exist: what is made there is watched. */
  readonly missing: readonly string[];
  readonly refused: readonly RefusedPath[];
  /** Leaves that are there because of git's configuration, each with its key and the file that holds it. */
  readonly named: ReadonlyMap<string, string>;
  /** Directories of git, which have worktrees and submodules in them. */
  readonly git: readonly string[];
  /** Of these directories of git's not everything was looked at: they are held with all that is in them. */
  readonly whole: readonly string[];
}

/** What cannot be guarded. */
export interface RefusedPath {
  /** Without links. */
  readonly path: string;
  /**
   * `other`: neither file nor directory. `workspace`: too much to guard. `dangling`: a link of git's that leads to
   * nothing. `unread`: it leads out of the workspace, and what git would run there is not known. `mounted`:
   * the host mounted something over it, and the session shows what is below. `git-link`: a link that has to keep its owner.
   * `unread-config`: what git would run is not known. `crowded`: configuration of git that names too much.
   * `links`: more of them than are followed. `worktree`: it lies in a worktree, which is guarded apart from its repository.
   * `large`: there is too much in it.
   */
  readonly why:
    | Tangle
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
  /** The path of the configuration that led there. */
  readonly asked: string;
  /** The key of git's configuration that names it, with its file. */
  readonly named?: string | undefined;
  /** Because of a worktree or a submodule, not of the repository itself. */
  readonly forLink?: true;
  /** The line that cannot be read. */
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

/** The directories of git in a workspace, whose configuration is read for what it names there. */
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
