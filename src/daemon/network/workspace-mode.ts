// A workspace has one network mode at a time, because sessions that share files can communicate through sockets. Pure.
import type { NetworkMode } from '../../coid-api/network-protocol.ts';
import type { FileIdentity } from '../../host/fs/meta/identity.ts';
import { areSameFile } from '../../host/fs/meta/identity.ts';
import { quoted } from '../../names.ts';

export const workspaceName = 'workspace';

/** A mounted directory of a session, or one about to be mounted. */
export interface SharedTree {
  /** Name of the mount. */
  readonly name: string;
  /** Its path when it was opened. */
  readonly path: string;
  readonly readonly: boolean;
  /** It is the git directory of a repository that has the workspace as a worktree. */
  readonly git?: string | undefined;
  /** Undefined if only the path is known. */
  readonly identity?: FileIdentity | undefined;
  /** Its parent directories when it was opened; undefined if they were not saved. */
  readonly above?: readonly FileIdentity[] | undefined;
  /** Its current paths according to its mount, likeliest first. */
  readonly currentPaths?: readonly string[] | undefined;
}

export interface LiveSession {
  readonly container: string;
  readonly mode: NetworkMode;
  readonly trees: readonly SharedTree[];
}

/** A conflict between network modes. */
export interface ModeConflict {
  readonly session: LiveSession;
  readonly own: SharedTree;
  readonly theirs: SharedTree;
}

/** Finds a live session with a different mode that shares files with these directories. */
export function findModeConflict(
  trees: readonly SharedTree[],
  mode: NetworkMode,
  live: readonly LiveSession[],
): ModeConflict | undefined {
  for (const session of live) {
    if (session.mode === mode) continue;
    for (const theirs of session.trees) {
      const own = trees.find((one) => share(one, theirs));
      if (own) return { session, own, theirs };
    }
  }
  return undefined;
}

/** Describes the shared files for an error message. */
export function describeConflict({ session: { container }, own, theirs }: ModeConflict): string {
  const { path, currentPaths = [] } = theirs;
  const now = currentPaths.includes(path) ? path : (currentPaths[0] ?? path);
  if (isSameTree(own, theirs)) return `${container} has ${quoted(own.path)} too`;
  const how = isBelow(own, theirs) ? 'holds' : 'lies in';
  return `${container} has ${quoted(now)}, which ${how} ${quoted(own.path)}`;
}

/**
 * A directory that is the workspace of neither was shared by the user on purpose: a cache, or the repository of two
 * worktrees. Two read-only mounts allow no communication, but a socket also works through one read-only mount.
 */
function share(one: SharedTree, other: SharedTree): boolean {
  if (one.name !== workspaceName && other.name !== workspaceName) return false;
  if (one.readonly && other.readonly) return false;
  return isSameTree(one, other) || isBelow(one, other) || isBelow(other, one);
}

function isSameTree(one: SharedTree, other: SharedTree): boolean {
  return one.identity && other.identity
    ? areSameFile(one.identity, other.identity)
    : one.path === other.path;
}

function isBelow(inner: SharedTree, outer: SharedTree): boolean {
  if (inner.currentPaths?.some((place) => isInside(place, outer.path))) return true;
  const { identity } = outer;
  return identity && inner.above
    ? inner.above.some((one) => areSameFile(one, identity))
    : isInside(inner.path, outer.path);
}

function isInside(path: string, directory: string): boolean {
  return (
    path !== directory && path.startsWith(directory.endsWith('/') ? directory : `${directory}/`)
  );
}
