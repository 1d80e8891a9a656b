// A file or pipe that somebody opened for this program before it began.
import { contentOf, type FileContent } from './file-content.ts';
import { attempt } from './file-error.ts';

/** Waits for whoever writes. Throws FileError, also for a descriptor that a start through another program has closed. */
export function readDescriptor(fd: number, shown: string, maxBytes: number): FileContent {
  return attempt(shown, () => contentOf(fd, shown, maxBytes));
}
