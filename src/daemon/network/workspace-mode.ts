// One workspace has one network mode at a time: sessions that share files can talk through sockets in them. Pure.
import type { NetworkMode } from '../../coid-api/network-protocol.ts';
import type { Identity } from '../../host/fs/meta/identity.ts';
import { areSame } from '../../host/fs/meta/identity.ts';
import { quoted } from '../../names.ts';

export const workspaceName = 'workspace';

/** A directory that a session has, or is about to get. */
export interface SharedTree {
  /** Of the mount. */
  readonly name: string;
  /** Where it was when it was opened. */
  readonly path: string;
  readonly readonly: boolean;
  /** It is git's directory of a repository that has the workspace as a worktree. */
  readonly git?: string | undefined;
  /** Undefined: only its name is known. */
  readonly identity?: Identity | undefined;
  /** The directories above it when it was opened; undefined where they were not written down. */
  readonly above?: readonly Identity[] | undefined;
  /** Where it lies now, as far as its mount says so, the likeliest first. */
  readonly places?: readonly string[] | undefined;
}

export interface LiveSession {
  readonly container: string;
  readonly mode: NetworkMode;
  readonly trees: readonly SharedTree[];
}

/** What keeps a session from its mode. */
export interface OtherMode {
  readonly session: LiveSession;
  readonly own: SharedTree;
  readonly theirs: SharedTree;
}

/** A live session that has another mode, and files in common with a new one that gets those directories; undefined if there is none. */
export function otherMode(
  trees: readonly SharedTree[],
  mode: NetworkMode,
  live: readonly LiveSession[],
): OtherMode | undefined {
  for (const session of live) {
    if (session.mode === mode) continue;
    for (const theirs of session.trees) {
      const own = trees.find((one) => share(one, theirs));
      if (own) return { session, own, theirs };
    }
  }
  return undefined;
}

/** What a user reads of it: which session, and what of it. */
export function sharing({ session: { container }, own, theirs }: OtherMode): string {
  const { path, places = [] } = theirs;
  const now = places.includes(path) ? path : (places[0] ?? path);
  if (isOne(own, theirs)) return `${container} has ${quoted(own.path)} too`;
  const how = isBelow(own, theirs) ? 'holds' : 'lies in';
  return `${container} has ${quoted(now)}, which ${how} ${quoted(own.path)}`;
}

/**
 * Of what is the workspace of neither, the user chose that both have it: a cache, or the repository of two worktrees. Of two that
 * are read-only nobody can write anything into either. A socket can be used through a read-only mount, too.
 */
function share(one: SharedTree, other: SharedTree): boolean {
  if (one.name !== workspaceName && other.name !== workspaceName) return false;
  if (one.readonly && other.readonly) return false;
  return isOne(one, other) || isBelow(one, other) || isBelow(other, one);
}

function isOne(one: SharedTree, other: SharedTree): boolean {
  return one.identity && other.identity
    ? areSame(one.identity, other.identity)
    : one.path === other.path;
}

function isBelow(inner: SharedTree, outer: SharedTree): boolean {
  if (inner.places?.some((place) => isInside(place, outer.path))) return true;
  const { identity } = outer;
  return identity && inner.above
    ? inner.above.some((one) => areSame(one, identity))
    : isInside(inner.path, outer.path);
}

function isInside(path: string, directory: string): boolean {
  return (
    path !== directory && path.startsWith(directory.endsWith('/') ? directory : `${directory}/`)
  );
}
