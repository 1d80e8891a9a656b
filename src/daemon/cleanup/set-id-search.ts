// Looks for programs with rights of their own in all that one session could write.
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { type SetIdFile, setIdFiles } from '../../host/fs/meta/set-id-files.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { RemoteFiles } from '../mounts/remote-files.ts';
import type { Sweep } from './ended-sessions.ts';
import type { Note } from './set-id-note.ts';

export interface SearchParts {
  readonly libc: Libc;
  readonly roots: Pick<MountRoots, 'reopened'>;
  readonly files: Pick<RemoteFiles, 'during'>;
  readonly signal: AbortSignal;
}

/** Clocks of the kernel and of Incus may differ by a moment, and to look at a file too many costs nothing. */
const earlierMs = 2000;
/** Searches of one attempt: what is made or moved meanwhile is found by the next, until there is nothing. */
const searchesMax = 4;

/** Takes the rights away, and searches until nothing is found. */
export async function stripped(parts: SearchParts, note: Note): Promise<Sweep> {
  const found: SetIdFile[] = [];
  let count = 0;
  let unseen: readonly string[] = [];
  for (let searches = 0; searches < searchesMax; searches += 1) {
    const search = await searched(parts, note, true);
    found.push(...search.found);
    count += search.count;
    unseen = search.unseen;
    if (search.complete && search.count === 0) return { found, count, unseen, complete: true };
    if (parts.signal.aborted) break;
  }
  return { found, count, unseen, complete: false };
}

/** Paths are absolute. A source that is not what was mounted (any more) is left alone, and told. */
export async function searched(
  { libc, roots, files, signal }: SearchParts,
  note: Note,
  strip: boolean,
): Promise<Sweep> {
  const all: SetIdFile[] = [];
  const unseen: string[] = [];
  let count = 0;
  let complete = true;
  for (const source of note.sources) {
    const opened = await roots.reopened(note.id, source);
    if (opened === undefined) {
      unseen.push(source);
      continue;
    }
    const { fd: directory, path } = opened;
    try {
      const wish = { directory, sinceMs: note.sinceMs - earlierMs, strip };
      const result = await files.during(path, signal, (during) =>
        setIdFiles(libc, { ...wish, signal: during }),
      );
      all.push(...result.found.map((file) => ({ ...file, path: join(source, file.path) })));
      count += result.count;
      complete &&= result.complete;
    } finally {
      closeSync(directory);
    }
  }
  return { found: all, count, unseen, complete };
}
