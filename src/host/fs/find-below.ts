// Looks for entries of a tree that may be hostile and change meanwhile: `find` only says where to look; each entry is
// then reached component by component, without a link, and handed on by its descriptor.
import { closeSync, constants, openSync } from 'node:fs';
import { setPriority } from 'node:os';
import { givenDescriptor, readProgram } from '../process/program.ts';
import { openPath } from './file-content.ts';

export interface Search {
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

/** Calls `each` for what is found, until it has enough. False if that was early, or find failed. */
export async function findBelow(
  { directory, tests, signal }: Search,
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
  const entries = new Entries(directory);
  try {
    for await (const path of paths(find.stdout, Buffer.byteLength(top))) {
      const fd = entries.open(path);
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
    entries.close();
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

class Entries {
  readonly #top: number;
  /** The directory of the last entry: find prints those of one directory after each other. */
  #parent: { readonly path: Buffer; readonly fd: number } | undefined;

  constructor(top: number) {
    this.#top = top;
  }

  open(path: Buffer): number | undefined {
    const slash = path.lastIndexOf(0x2f);
    const parent = this.#opened(path.subarray(0, Math.max(slash, 0)));
    return parent === undefined ? undefined : entryBelow(parent, path.subarray(slash + 1));
  }

  close(): void {
    if (this.#parent) closeSync(this.#parent.fd);
    this.#parent = undefined;
  }

  #opened(path: Buffer): number | undefined {
    if (this.#parent?.path.equals(path)) return this.#parent.fd;
    this.close();
    const fd = descended(this.#top, path);
    // A copy: what find printed is read into the same memory again.
    if (fd !== undefined) this.#parent = { path: Buffer.from(path), fd };
    return fd;
  }
}

function descended(top: number, path: Buffer): number | undefined {
  let current: number | undefined = entryBelow(top, Buffer.from('.'));
  for (let from = 0; from < path.length && current !== undefined; ) {
    const slash = path.indexOf(0x2f, from);
    const end = slash < 0 ? path.length : slash;
    const next = entryBelow(current, path.subarray(from, end), constants.O_DIRECTORY);
    closeSync(current);
    current = next;
    from = end + 1;
  }
  return current;
}

/** The entry itself, also where it is a link; undefined if it cannot be had. An empty name is the directory. */
function entryBelow(directory: number, name: Buffer, more = 0): number | undefined {
  const path = Buffer.concat([
    Buffer.from(`/proc/self/fd/${directory}/`),
    name.length === 0 ? Buffer.from('.') : name,
  ]);
  try {
    return openSync(path, openPath | constants.O_NOFOLLOW | more);
  } catch {
    return undefined;
  }
}
