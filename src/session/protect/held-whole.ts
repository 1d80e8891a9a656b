// What is said of a session in which a directory is held as a whole. Pure.
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import { quoted } from '../../names.ts';

const ofGit = /\/(?:modules|worktrees)$/;

/** A line for each. */
export function heldWhole(
  mounts: readonly Pick<ReservedMount, 'whole'>[] | undefined = [],
): string[] {
  return mounts
    .flatMap(({ whole = [] }) => whole)
    .map((path) => {
      const left = ofGit.test(path)
        ? "what git's configuration in there names"
        : 'what links in there lead to';
      return `not all in ${quoted(path)} was looked at: it is read-only in this session, and ${left} is not guarded (remove what is not yours)`;
    });
}
