// Guards an extra mount that is part of the session's workspace or contains it. Pure: the caller gets the relation of the
// two directories from the kernel (host/fs/meta/tree-location.ts).
import type { ProtectRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { TreeLocation } from '../../host/fs/meta/tree-location.ts';
import { quoted } from '../../names.ts';
import { isWithin } from './path-text.ts';
import type { Ancestor } from './protection-types.ts';

export type Overlap =
  | { readonly kind: 'apart' }
  | { readonly kind: 'same' }
  /** In the workspace, at that path. */
  | { readonly kind: 'below'; readonly path: string }
  /** Contains the workspace, at that path. */
  | { readonly kind: 'above'; readonly path: string };

/** Guards that apply to the workspace's own mount. */
export interface WorkspaceRules {
  /** Hidden paths, relative to the workspace. */
  readonly secrets: readonly string[];
  /** Hidden paths that the agent can move, because they are not protected. */
  readonly movable: readonly string[];
  /** Everything below .git is read-only. */
  readonly readonlyGit: boolean;
  /** Directories that are read-only everywhere with all their content, because they were not inspected. */
  readonly whole: readonly string[];
  /** Whether there are protected paths, so that a start that cannot guard them is refused. */
  readonly guards: boolean;
}

/** Guards in the extra mount; paths relative to it. */
export interface ExtraMountGuards {
  readonly secrets: readonly string[];
  readonly readonlyGit: boolean;
  readonly whole: readonly string[];
}

export const noGuards: ExtraMountGuards = { secrets: [], readonlyGit: false, whole: [] };

/** Whether extra mounts have to be checked. */
export function hasRules({ secrets, readonlyGit, guards }: WorkspaceRules): boolean {
  return secrets.length > 0 || readonlyGit || guards;
}

/** The guards of a workspace that every mount of it must keep. */
export function workspaceRules(
  protect: ProtectRequest | undefined,
  secrets: readonly string[] = [],
  ancestors: readonly Ancestor[] = [],
): WorkspaceRules {
  const guarded = protect?.mode === 'guard' ? protect.paths : [];
  return {
    secrets,
    movable: secrets.filter((path) => !guarded.includes(path)),
    readonlyGit: protect?.readonlyGit ?? false,
    whole: lockedPaths(ancestors),
    guards: guarded.length > 0,
  };
}

export function lockedPaths(ancestors: readonly Ancestor[]): string[] {
  return ancestors.flatMap(({ path, whole }) => (whole ? [path] : []));
}

export function overlapOf(workspace: TreeLocation, other: TreeLocation): Overlap {
  if (workspace.device !== other.device) return { kind: 'apart' };
  if (workspace.path === other.path) return { kind: 'same' };
  const below = innerPath(workspace.path, other.path);
  if (below !== undefined) return { kind: 'below', path: below };
  const above = innerPath(other.path, workspace.path);
  return above === undefined ? { kind: 'apart' } : { kind: 'above', path: above };
}

/** Throws `unprotected-path` for a mount through which guarded paths could be read or changed. */
export function extraMountGuards(
  overlap: Overlap,
  mount: { readonly source: string; readonly readonly: boolean },
  bound: WorkspaceRules,
): ExtraMountGuards {
  switch (overlap.kind) {
    case 'apart':
      return noGuards;
    case 'same':
      return {
        secrets: bound.secrets,
        readonlyGit: bound.readonlyGit && !mount.readonly,
        whole: lockedInside(overlap, mount, bound.whole),
      };
    case 'below':
      return guardsOfPart(overlap.path, mount, bound);
    case 'above':
      // Through it, the workspace itself could be replaced.
      if (!mount.readonly && hasRules(bound))
        throw mountError(
          mount.source,
          `contains the workspace (at ${quoted(overlap.path)}) and is writable: the agent could replace protected or hidden files`,
          'Mount it read-only, or mount a directory that does not contain the workspace.',
        );
      return {
        ...noGuards,
        secrets: bound.secrets.map((path) => `${overlap.path}/${path}`),
      };
  }
}

/**
 * Throws `unprotected-path` for a mount through which the parent of the git directory could be moved. `overlap` is the
 * relation of the mount to the git directory. In the parent itself, the git directory is guarded.
 */
export function refuseAboveGit(
  overlap: Overlap,
  { source, readonly }: { readonly source: string; readonly readonly: boolean },
): void {
  if (overlap.kind !== 'above' || readonly || !overlap.path.includes('/')) return;
  throw mountError(
    source,
    `contains the repository of the worktree (at ${quoted(overlap.path)}) and is writable: the agent could replace it`,
    'Mount it read-only, or mount a directory that does not contain the repository.',
  );
}

/**
 * The locked directories that a writable mount contains, relative to it. `overlap` is the relation of the mount to their
 * root. Throws `unprotected-path` for a mount inside one of them.
 */
export function lockedInside(
  overlap: Overlap,
  { source, readonly }: { readonly source: string; readonly readonly: boolean },
  whole: readonly string[],
): string[] {
  if (readonly) return [];
  switch (overlap.kind) {
    case 'apart':
      return [];
    case 'same':
      return [...whole];
    case 'above':
      return whole.map((path) => `${overlap.path}/${path}`);
    case 'below': {
      const around = whole.find((path) => isWithin(overlap.path, path));
      if (around !== undefined)
        throw mountError(
          source,
          `is in ${quoted(around)}, which contains more than coi can check`,
          'Mount it read-only, remove this mount, or delete unneeded entries there.',
        );
      return whole.flatMap((path) => innerPath(overlap.path, path) ?? []);
    }
  }
}

function guardsOfPart(
  path: string,
  { source, readonly }: { readonly source: string; readonly readonly: boolean },
  { secrets, movable, readonlyGit, whole }: WorkspaceRules,
): ExtraMountGuards {
  const around = secrets.find((secret) => isWithin(path, secret));
  if (around !== undefined)
    throw mountError(
      source,
      `shows ${quoted(around)}, which is hidden ([security] secret_paths)`,
      'Remove this mount, or remove that path from secret_paths.',
    );
  const loose = movable.find((secret) => !isWithin(secret, path));
  if (loose !== undefined)
    throw mountError(
      source,
      `is part of the workspace, and the agent could move ${quoted(loose)} into it, where it would not be hidden: that path is not protected`,
      'Remove this mount, or protect the hidden path (no disable_protection, no protection = "watch", not in writable_paths).',
    );
  if (readonlyGit && !readonly && isWithin(path, '.git'))
    throw mountError(
      source,
      'is in .git, which is read-only ([git] readonly)',
      'Mount it read-only, or remove this mount.',
    );
  const inner = secrets.flatMap((secret) => innerPath(path, secret) ?? []);
  const held = lockedInside({ kind: 'below', path }, { source, readonly }, whole);
  return { secrets: inner, readonlyGit: false, whole: held };
}

export function mountError(source: string, what: string, hint: string): CoiError {
  return new CoiError('unprotected-path', `the mount of ${quoted(source)} ${what}`, { hint });
}

/** The rest of a path below another; undefined if it is not below it. */
function innerPath(top: string, path: string): string | undefined {
  const prefix = top === '/' ? '/' : `${top}/`;
  return path.startsWith(prefix) && path !== prefix ? path.slice(prefix.length) : undefined;
}
