// Gives what carries ids of a container to its owner. The tree may be hostile and change meanwhile: `find` only says
// where to look; each entry is then reached component by component, without a link, and changed by its descriptor.
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { setPriority } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { type Owner, openPath } from './content.ts';

/** Ids from `from` on, uids and gids alike. */
export interface OwnedRange {
  readonly from: number;
  readonly count: number;
}

export interface GiveBack {
  /** An opened directory (O_PATH is enough). Mounts below it are left alone. */
  readonly directory: number;
  readonly range: OwnedRange;
  readonly owner: Owner;
  /** Only counts. */
  readonly dryRun?: boolean;
  /** Asked before each portion; false ends it. */
  readonly mayGoOn: () => boolean;
  readonly signal: AbortSignal;
}

export interface GivenBack {
  readonly count: number;
  /** False if it was ended early, or find failed. */
  readonly complete: boolean;
}

/** Other work of the process gets a turn after so many entries. */
const portionEntries = 100;
/** Its own number for the child, so that no path has to be handed over. */
const childDescriptor = 3;
const regularFile = constants.S_IFREG;
const setIdBits = 0o6000;

/** Resolves when everything is changed, or the signal aborts, or nothing more may be done. */
export async function giveBack(wish: GiveBack): Promise<GivenBack> {
  const { range, signal } = wish;
  const top = `/proc/self/fd/${childDescriptor}/`;
  const within = (id: string) => [
    '(',
    `-${id}`,
    `+${range.from - 1}`,
    `-${id}`,
    `-${range.from + range.count}`,
    ')',
  ];
  const find = spawn(
    'find',
    [top, '-xdev', '(', ...within('uid'), '-o', ...within('gid'), ')', '-print0'],
    { stdio: ['ignore', 'pipe', 'ignore', wish.directory], signal, killSignal: 'SIGKILL' },
  );
  const ended = new Promise<boolean>((resolve) => {
    find.once('error', () => resolve(false));
    find.once('close', (status) => resolve(status === 0));
  });
  try {
    if (find.pid !== undefined) setPriority(find.pid, 19);
  } catch {
    // It was quick.
  }
  const changed = new Changes(wish);
  try {
    const stdout = find.stdout;
    if (!stdout) return { count: 0, complete: false };
    for await (const path of paths(stdout, Buffer.byteLength(top))) {
      if (changed.seen % portionEntries === 0) {
        await setImmediate();
        if (signal.aborted || !wish.mayGoOn()) return { count: changed.count, complete: false };
      }
      changed.add(path);
    }
    return { count: changed.count, complete: await ended };
  } catch (error) {
    if (signal.aborted) return { count: changed.count, complete: false };
    throw error;
  } finally {
    changed.close();
    find.kill('SIGKILL');
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

class Changes {
  readonly #wish: GiveBack;
  /** The directory of the last entry: find prints those of one directory after each other. */
  #parent: { readonly path: Buffer; readonly fd: number } | undefined;
  seen = 0;
  count = 0;

  constructor(wish: GiveBack) {
    this.#wish = wish;
  }

  /** An entry that is gone, or has become something else, is left out. */
  add(path: Buffer): void {
    this.seen += 1;
    const slash = path.lastIndexOf(0x2f);
    const parent = this.#opened(path.subarray(0, Math.max(slash, 0)));
    if (parent === undefined) return;
    const fd = entryBelow(parent, path.subarray(slash + 1));
    if (fd === undefined) return;
    try {
      if (give(fd, this.#wish)) this.count += 1;
    } finally {
      closeSync(fd);
    }
  }

  close(): void {
    if (this.#parent) closeSync(this.#parent.fd);
    this.#parent = undefined;
  }

  #opened(path: Buffer): number | undefined {
    if (this.#parent?.path.equals(path)) return this.#parent.fd;
    this.close();
    const fd = descended(this.#wish.directory, path);
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

function give(fd: number, { range, owner, dryRun }: GiveBack): boolean {
  const { uid, gid, mode } = fstatSync(fd);
  const isTheirs = (id: number) => id >= range.from && id < range.from + range.count;
  if (!isTheirs(uid) && !isTheirs(gid)) return false;
  if (dryRun) return true;
  const path = `/proc/self/fd/${fd}`;
  // Before the owner changes: a program that runs as the owner must not exist for a moment.
  if ((mode & constants.S_IFMT) === regularFile && (mode & setIdBits) !== 0)
    chmodSync(path, mode & 0o1777);
  chownSync(path, isTheirs(uid) ? owner.uid : uid, isTheirs(gid) ? owner.gid : gid);
  return true;
}
