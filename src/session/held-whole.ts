// What is said of a session in which part of a directory of git is held as a whole. Pure.
import type { ReservedMount } from '../daemon/protocol.ts';
import { quoted } from '../names.ts';

/** A line for each. */
export function heldWhole(
  mounts: readonly Pick<ReservedMount, 'whole'>[] | undefined = [],
): string[] {
  return mounts
    .flatMap(({ whole = [] }) => whole)
    .map(
      (path) =>
        `not all in ${quoted(path)} was looked at: it is read-only in this session, and what git's configuration in there names is not guarded (remove what is not yours)`,
    );
}
