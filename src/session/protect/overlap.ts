// What guards a further mount of a session that shows part of its workspace, or holds it. Pure: how the two directories
// lie to each other was asked of the kernel (host/fs/meta/tree-place.ts).
import type { ProtectRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import type { TreePlace } from '../../host/fs/meta/tree-place.ts';
import { quoted } from '../../names.ts';
import { isWithin } from './path-text.ts';
import type { Ancestor } from './protection-types.ts';

export type Overlap =
  | { readonly kind: 'apart' }
  | { readonly kind: 'same' }
  /** It lies in the workspace, at that path. */
  | { readonly kind: 'below'; readonly path: string }
  /** It holds the workspace, at that path. */
  | { readonly kind: 'above'; readonly path: string };

/** What the guards of a workspace are bound to: its own mount. */
export interface Bound {
  /** Hidden paths, relative to the workspace. */
  readonly secrets: readonly string[];
  /** Those of them that the agent can move: they are hidden but not protected. */
  readonly movable: readonly string[];
  /** Nothing below .git can be written. */
  readonly readonlyGit: boolean;
  /** Directories that can be written in nowhere, with all that is in them: nobody looked at that. */
  readonly whole: readonly string[];
  /** There are protected paths, and a start that cannot guard them is refused. */
  readonly guards: boolean;
}

/** What the further mount gets inside; paths relative to it. */
export interface FurtherInside {
  readonly secrets: readonly string[];
  readonly readonlyGit: boolean;
  readonly whole: readonly string[];
}

export const nothingInside: FurtherInside = { secrets: [], readonlyGit: false, whole: [] };

/** True where a further mount has to be looked at. */
export function bindsAnything({ secrets, readonlyGit, guards }: Bound): boolean {
  return secrets.length > 0 || readonlyGit || guards;
}

/** What holds for a workspace whichever mount of the session shows it. */
export function boundOf(
  protect: ProtectRequest | undefined,
  secrets: readonly string[] = [],
  ancestors: readonly Ancestor[] = [],
): Bound {
  const guarded = protect?.mode === 'guard' ? protect.paths : [];
  return {
    secrets,
    movable: secrets.filter((path) => !guarded.includes(path)),
    readonlyGit: protect?.readonlyGit ?? false,
    whole: wholeOf(ancestors),
    guards: guarded.length > 0,
  };
}

export function wholeOf(ancestors: readonly Ancestor[]): string[] {
  return ancestors.flatMap(({ path, whole }) => (whole ? [path] : []));
}

export function overlapOf(workspace: TreePlace, other: TreePlace): Overlap {
  if (workspace.device !== other.device) return { kind: 'apart' };
  if (workspace.path === other.path) return { kind: 'same' };
  const below = innerPath(workspace.path, other.path);
  if (below !== undefined) return { kind: 'below', path: below };
  const above = innerPath(other.path, workspace.path);
  return above === undefined ? { kind: 'apart' } : { kind: 'above', path: above };
}

/** Throws `unprotected-path` for a mount through which what is guarded could be read or changed. */
export function furtherInside(
  overlap: Overlap,
  mount: { readonly source: string; readonly readonly: boolean },
  bound: Bound,
): FurtherInside {
  switch (overlap.kind) {
    case 'apart':
      return nothingInside;
    case 'same':
      return {
        secrets: bound.secrets,
        readonlyGit: bound.readonlyGit && !mount.readonly,
        whole: wholeInside(overlap, mount, bound.whole),
      };
    case 'below':
      return insideOfPart(overlap.path, mount, bound);
    case 'above':
      // Through it the workspace itself could be moved away, and another put in its place.
      if (!mount.readonly && bindsAnything(bound))
        throw refusal(
          mount.source,
          `holds the workspace (${quoted(overlap.path)} in it) and can be written: the agent could put other files in the place of protected or hidden ones`,
          'Mount it read-only, or mount a directory that does not hold the workspace.',
        );
      return {
        ...nothingInside,
        secrets: bound.secrets.map((path) => `${overlap.path}/${path}`),
      };
  }
}

/**
 * Throws `unprotected-path` for a mount through which the directory that holds git's could be moved away: `overlap` is how
 * the mount lies to git's directory. In the directory itself git's is guarded.
 */
export function refuseAboveGit(
  overlap: Overlap,
  { source, readonly }: { readonly source: string; readonly readonly: boolean },
): void {
  if (overlap.kind !== 'above' || readonly || !overlap.path.includes('/')) return;
  throw refusal(
    source,
    `holds the repository of the worktree (${quoted(overlap.path)} in it) and can be written: the agent could put another in its place`,
    'Mount it read-only, or mount a directory that does not hold the repository.',
  );
}

/**
 * What of those directories a mount shows that can be written; paths relative to it. `overlap` is how it lies to what they are
 * in. Throws `unprotected-path` for a mount that lies in one of them.
 */
export function wholeInside(
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
        throw refusal(
          source,
          `lies in ${quoted(around)}, which holds more than coi looks at`,
          'Mount it read-only, leave this mount out, or remove what is not needed there.',
        );
      return whole.flatMap((path) => innerPath(overlap.path, path) ?? []);
    }
  }
}

function insideOfPart(
  path: string,
  { source, readonly }: { readonly source: string; readonly readonly: boolean },
  { secrets, movable, readonlyGit, whole }: Bound,
): FurtherInside {
  const around = secrets.find((secret) => isWithin(path, secret));
  if (around !== undefined)
    throw refusal(
      source,
      `shows ${quoted(around)}, which is hidden ([security] secret_paths)`,
      'Leave this mount out, or take that path out of secret_paths.',
    );
  const loose = movable.find((secret) => !isWithin(secret, path));
  if (loose !== undefined)
    throw refusal(
      source,
      `is part of the workspace, and the agent could move ${quoted(loose)} into it, where it would not be hidden: that path is not protected`,
      'Leave this mount out, or let the hidden path be protected (no disable_protection, no protection = "watch", not in writable_paths).',
    );
  if (readonlyGit && !readonly && isWithin(path, '.git'))
    throw refusal(
      source,
      'lies in .git, which is read-only ([git] readonly)',
      'Mount it read-only, or leave this mount out.',
    );
  const inner = secrets.flatMap((secret) => innerPath(path, secret) ?? []);
  const held = wholeInside({ kind: 'below', path }, { source, readonly }, whole);
  return { secrets: inner, readonlyGit: false, whole: held };
}

export function refusal(source: string, what: string, hint: string): CoiError {
  return new CoiError('unprotected-path', `the mount of ${quoted(source)} ${what}`, { hint });
}

/** The rest of a path that lies below another; undefined where it does not. */
function innerPath(top: string, path: string): string | undefined {
  const prefix = top === '/' ? '/' : `${top}/`;
  return path.startsWith(prefix) && path !== prefix ? path.slice(prefix.length) : undefined;
}
