// One directory has one network mode at a time: sessions that share files can talk through sockets in them. Pure.

import { areSame, type Identity } from '../../host/identity.ts';
import type { NetworkMode } from '../protocol.ts';

/** A directory that a session has, or is about to get. */
export interface SharedTree {
  /** Where it was when it was opened. */
  readonly path: string;
  readonly readonly: boolean;
  /** Undefined: only its name is known. */
  readonly identity?: Identity | undefined;
  /** The directories above it when it was opened; undefined where they were not written down. */
  readonly above?: readonly Identity[] | undefined;
  /** Where it lies now, as far as its mount says so. */
  readonly places?: readonly string[] | undefined;
}

export interface LiveSession {
  readonly container: string;
  readonly mode: NetworkMode;
  readonly trees: readonly SharedTree[];
}

/** A live session that has another mode and shares files with a new one that gets those directories; undefined if there is none. */
export function otherMode(
  trees: readonly SharedTree[],
  mode: NetworkMode,
  live: readonly LiveSession[],
): LiveSession | undefined {
  return live.find(
    (session) =>
      session.mode !== mode &&
      session.trees.some((theirs) => trees.some((own) => share(own, theirs))),
  );
}

/** Of two that are read-only nobody can write anything into either. A socket can be used through a read-only mount, too. */
function share(one: SharedTree, other: SharedTree): boolean {
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
