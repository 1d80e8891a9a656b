// Finds entries of a tree that may be hostile and change meanwhile: `find` only names candidates; each entry is then
// opened without following links and passed on by its descriptor.
import { closeSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { Libc } from '../linux/libc.ts';
import { openBelow } from '../linux/open-below.ts';
import { inheritedDescriptor, readProgram } from '../process/program.ts';

export interface FindRequest {
  readonly libc: Pick<Libc, 'openat2'>;
  /** An open directory (O_PATH is enough). Mounts below it are skipped. */
  readonly directory: number;
  /** Arguments of find(1). */
  readonly tests: readonly string[];
  readonly signal: AbortSignal;
}

export interface FoundEntry {
  /** Relative to the directory. */
  readonly path: Buffer;
  /** O_PATH; a link itself is opened. Undefined if the entry is gone or was replaced. */
  readonly fd: number | undefined;
}

/** PATH_MAX, including the final NUL. */
const pathBytesMax = 4096;
const slash = 0x2f;

/** Calls `each` for every match until it returns `enough`. False if it stopped early or find failed. */
export async function findBelow(
  { libc, directory, tests, signal }: FindRequest,
  each: (entry: FoundEntry) => Promise<'more' | 'enough'>,
): Promise<boolean> {
  // The directory is passed as an inherited descriptor, so that no path is needed.
  const top = `/proc/self/fd/${inheritedDescriptor}/`;
  const find = readProgram(['find', top, '-xdev', ...tests, '-print0'], {
    inherited: directory,
    signal,
    endWith: 'SIGKILL',
  });
  try {
    if (find.pid !== undefined) setPriority(find.pid, 19);
  } catch {
    // It has already ended.
  }
  try {
    for await (const path of paths(find.stdout, Buffer.byteLength(top))) {
      const fd = openEntry(libc, directory, path);
      try {
        if ((await each({ path, fd })) === 'enough') return false;
      } finally {
        if (fd !== undefined) closeSync(fd);
      }
    }
    return (await find.ended) === 0;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    find.kill();
  }
}

/** The NUL-terminated paths that find prints, without their common prefix. */
async function* paths(stream: NodeJS.ReadableStream, prefixBytes: number): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0, from)) {
      yield rest.subarray(from + prefixBytes, end);
      from = end + 1;
    }
    rest = rest.subarray(from);
  }
}

/** O_PATH; undefined if it cannot be opened. An empty path is the directory itself. */
function openEntry(libc: Pick<Libc, 'openat2'>, top: number, path: Buffer): number | undefined {
  let [fd, rest] = [top, path];
  try {
    for (;;) {
      // A path can be longer than one system call accepts.
      const isLast = rest.length < pathBytesMax;
      const end = isLast ? rest.length : rest.lastIndexOf(slash, pathBytesMax - 1);
      const next = openBelow(libc, fd, end === 0 ? '.' : rest.subarray(0, end));
      if (fd !== top) closeSync(fd);
      fd = next;
      if (isLast) return fd;
      rest = rest.subarray(end + 1);
    }
  } catch {
    if (fd !== top) closeSync(fd);
    return undefined;
  }
}
