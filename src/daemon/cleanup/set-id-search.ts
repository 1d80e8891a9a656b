// Searches a session's writable directories for setuid and setgid files and files with capabilities.
import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { findSetIdFiles, type SetIdFile } from '../../host/fs/meta/set-id-files.ts';
import type { Libc } from '../../host/linux/libc.ts';
import type { MountRoots } from '../mounts/mount-roots.ts';
import type { RemoteFileSystems } from '../mounts/remote-file-systems.ts';
import type { Sweep } from './ended-sessions.ts';
import type { SetIdNote } from './set-id-note.ts';

export interface SearchParts {
  readonly libc: Libc;
  readonly roots: Pick<MountRoots, 'reopen'>;
  readonly files: Pick<RemoteFileSystems, 'whileResponsive'>;
  readonly signal: AbortSignal;
}

/** Clocks of kernel and Incus may differ slightly; checking an extra file is harmless. */
const earlierMs = 2000;
/** Searches per attempt: each finds files that were created or moved during the one before. */
const searchesMax = 4;

/** Strips the rights, and searches until nothing is found. */
export async function stripSetIds(parts: SearchParts, note: SetIdNote): Promise<Sweep> {
  const found: SetIdFile[] = [];
  let count = 0;
  let unseen: readonly string[] = [];
  for (let searches = 0; searches < searchesMax; searches += 1) {
    const search = await searchSetIds(parts, note, true);
    found.push(...search.found);
    count += search.count;
    unseen = search.unseen;
    if (search.complete && search.count === 0) return { found, count, unseen, complete: true };
    if (parts.signal.aborted) break;
  }
  return { found, count, unseen, complete: false };
}

/** Returns absolute paths. A source that is no longer the mounted directory is skipped and reported as unseen. */
export async function searchSetIds(
  { libc, roots, files, signal }: SearchParts,
  note: SetIdNote,
  strip: boolean,
): Promise<Sweep> {
  const all: SetIdFile[] = [];
  const unseen: string[] = [];
  let count = 0;
  let complete = true;
  for (const source of note.sources) {
    const opened = await roots.reopen(note.id, source);
    if (opened === undefined) {
      unseen.push(source);
      continue;
    }
    const { fd: directory, path } = opened;
    try {
      const options = { directory, sinceMs: note.sinceMs - earlierMs, strip };
      const result = await files.whileResponsive(path, signal, (during) =>
        findSetIdFiles(libc, { ...options, signal: during }),
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
