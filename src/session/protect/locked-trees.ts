// Notices for directories that are locked as a whole in a session. Pure.
import type { ReservedMount } from '../../coid-api/reserved-mount.ts';
import { quoted } from '../../names.ts';

const ofGit = /\/(?:modules|worktrees)$/;

/** One line per directory. */
export function lockedTreeNotices(
  mounts: readonly Pick<ReservedMount, 'whole'>[] | undefined = [],
): string[] {
  return mounts
    .flatMap(({ whole = [] }) => whole)
    .map((path) => {
      const left = ofGit.test(path)
        ? "files named by git's configuration in it"
        : 'targets of links in it';
      return `${quoted(path)} was not completely checked: it is read-only in this session, and ${left} are not guarded (remove entries that are not yours)`;
    });
}
