// Reads a file or pipe that was opened before this program started.
import { type FileContent, readContent } from './file-content.ts';
import { withFileErrors } from './file-error.ts';

/** Blocks until the writer closes it. Throws FileError, also if a wrapper program has closed the descriptor. */
export function readDescriptor(fd: number, shown: string, maxBytes: number): FileContent {
  return withFileErrors(shown, () => readContent(fd, shown, maxBytes));
}
