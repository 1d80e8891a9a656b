// Which process holds a socket. Dear, since it goes through descriptors: for the few sockets that matter, some at a look.
import type { Allowance, Steps } from './allowance.ts';
import type { ProcReader } from './patient-read.ts';
import { descriptorsOf, socketInode } from './processes.ts';

/** Milliseconds of one look. */
const partMs = 10;
const descriptorsMax = 1024;

export class Holders {
  readonly #reader: ProcReader;
  #known = new Map<string, number>();
  /** Where the search goes on. */
  #after = 0;

  constructor(reader: ProcReader) {
    this.#reader = reader;
  }

  /** By inode; those that were not found yet are missing. */
  *find(
    pids: readonly number[],
    inodes: ReadonlySet<string>,
    allowance: Allowance,
  ): Steps<ReadonlyMap<string, number>> {
    const alive = new Set(pids);
    this.#known = new Map(
      [...this.#known].filter(([inode, pid]) => inodes.has(inode) && alive.has(pid)),
    );
    const isOver = allowance.part(partMs);
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
      yield* allowance.turn();
    }
    return this.#known;
  }
}
