// Reports changes in directories that a container can write to. Source: inotify(7).
import { type FSWatcher, watch } from 'node:fs';
import type { Directory } from '../directory.ts';

/** Calls `onChange` at changes of entries, not in subdirectories. What cannot be watched is not reported: poll as well. */
export class DirectoryWatch implements Disposable {
  readonly #watchers: FSWatcher[] = [];
  /** There are directories, and all are watched as far as is known. */
  isComplete: boolean;

  constructor(directories: readonly Directory[], onChange: () => void) {
    this.isComplete = directories.length > 0;
    for (const directory of directories) {
      try {
        // Through the descriptor: a link in the path could lead anywhere.
        const watcher = watch(directory.fdPathOfItself, { persistent: false }, onChange);
        watcher.on('error', () => {
          this.isComplete = false;
          watcher.close();
        });
        this.#watchers.push(watcher);
      } catch {
        // The user's limit of watches is reached.
        this.isComplete = false;
      }
    }
  }

  [Symbol.dispose](): void {
    for (const watcher of this.#watchers) watcher.close();
  }
}
