// What is said of a directory on a file system that lets nobody in. Pure.
import type { Closed } from '../../host/fs/meta/file-system.ts';

/** `what` goes on from the directory's name. */
export function closedPlace({ fileSystem, lacks }: Closed): {
  readonly what: string;
  readonly hint: string;
} {
  if (lacks === 'program')
    return {
      what: `lies on a file system (${fileSystem}) whose program is gone`,
      hint: 'Unmount it (`fusermount -u` or `umount -l`) and mount it again.',
    };
  return {
    what: `lies on a file system (${fileSystem}) that only the user who mounted it may enter: root may not`,
    hint: 'Mount it with `-o allow_other`; /etc/fuse.conf has to permit that with the line user_allow_other.',
  };
}
