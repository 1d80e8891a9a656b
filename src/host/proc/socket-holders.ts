// Finds the process that holds a socket. Expensive, since it reads descriptors: only for flagged sockets, a few per scan.
import type { Allowance, Steps } from './allowance.ts';
import type { ProcReader } from './bounded-read.ts';
import { descriptorsOf, socketInode } from './processes.ts';

/** Milliseconds per scan. */
const partMs = 10;
const descriptorsMax = 1024;

export class SocketHolders {
  readonly #reader: ProcReader;
  #known = new Map<string, number>();
  /** The search continues after this pid. */
  #after = 0;

  constructor(reader: ProcReader) {
    this.#reader = reader;
  }

  /** Pids by inode; inodes without an entry have not been found yet. */
  *find(
    pids: readonly number[],
    inodes: ReadonlySet<string>,
    allowance: Allowance,
  ): Steps<ReadonlyMap<string, number>> {
    const alive = new Set(pids);
    this.#known = new Map(
      [...this.#known].filter(([inode, pid]) => inodes.has(inode) && alive.has(pid)),
    );
    const isOver = allowance.startLimit(partMs);
    const from = pids.findIndex((pid) => pid > this.#after);
    const order = from < 0 ? pids : [...pids.slice(from), ...pids.slice(0, from)];
    for (const pid of order) {
      if (this.#known.size === inodes.size || isOver()) break;
      const { targets } = yield* descriptorsOf(pid, descriptorsMax, allowance, this.#reader);
      for (const target of targets) {
        const inode = socketInode(target);
        if (inode !== undefined && inodes.has(inode)) this.#known.set(inode, pid);
      }
      this.#after = pid;
      yield* allowance.yieldIfDue();
    }
    return this.#known;
  }
}
