// Looks for entries of a tree that may be hostile and change meanwhile: `find` only says where to look; each entry is
// then opened through no link, and handed on by its descriptor.
import { closeSync } from 'node:fs';
import { setPriority } from 'node:os';
import type { Libc } from '../linux/libc.ts';
import { openBelow } from '../linux/open-below.ts';
import { givenDescriptor, readProgram } from '../process/program.ts';

export interface Search {
  readonly libc: Pick<Libc, 'openat2'>;
  /** An opened directory (O_PATH is enough). Mounts below it are left alone. */
  readonly directory: number;
  /** Words of find(1). */
  readonly tests: readonly string[];
  readonly signal: AbortSignal;
}

export interface FoundEntry {
  /** Relative to the directory. */
  readonly path: Buffer;
  /** O_PATH; of a link itself. Undefined if it is gone, or has become something else. */
  readonly fd: number | undefined;
}

/** PATH_MAX, with the NUL at the end. */
const pathBytesMax = 4096;
const slash = 0x2f;

/** Calls `each` for what is found, until it has enough. False if that was early, or find failed. */
export async function findBelow(
  { libc, directory, tests, signal }: Search,
  each: (entry: FoundEntry) => Promise<'more' | 'enough'>,
): Promise<boolean> {
  // As its own number for it, so that no path has to be handed over.
  const top = `/proc/self/fd/${givenDescriptor}/`;
  const find = readProgram(['find', top, '-xdev', ...tests, '-print0'], {
    given: directory,
    signal,
    endWith: 'SIGKILL',
  });
  try {
    if (find.pid !== undefined) setPriority(find.pid, 19);
  } catch {
    // It was quick.
  }
  try {
    for await (const path of paths(find.stdout, Buffer.byteLength(top))) {
      const fd = opened(libc, directory, path);
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

/** What find printed, NUL after each, without what every path begins with. */
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

/** O_PATH; undefined if it cannot be had. An empty path is the directory. */
function opened(libc: Pick<Libc, 'openat2'>, top: number, path: Buffer): number | undefined {
  let [fd, rest] = [top, path];
  try {
    for (;;) {
      // A tree can be deeper than one call of the kernel takes.
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
