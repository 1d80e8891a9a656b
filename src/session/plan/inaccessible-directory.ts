// Message for a directory on a file system that root cannot enter. Pure.
import type { FuseProblem } from '../../host/fs/meta/file-system.ts';

/** `what` continues a sentence that begins with the directory's name. */
export function describeInaccessible({ fileSystem, lacks }: FuseProblem): {
  readonly what: string;
  readonly hint: string;
} {
  if (lacks === 'program')
    return {
      what: `is on a file system (${fileSystem}) whose program has exited`,
      hint: 'Unmount it (`fusermount -u` or `umount -l`) and mount it again.',
    };
  return {
    what: `is on a file system (${fileSystem}) that only the user who mounted it can access, not root`,
    hint: 'Mount it with `-o allow_other`; this needs the line user_allow_other in /etc/fuse.conf.',
  };
}
