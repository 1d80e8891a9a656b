// Inodes of unix sockets, by network namespace: /proc/<pid>/net/unix. Read only where somebody asks for one.
import { LineReader } from '../linux/proc-file.ts';
import type { Allowance, Steps } from './allowance.ts';
import { tooLateRounds } from './look-order.ts';
import type { Place } from './processes.ts';

/** Milliseconds of one look. */
const partMs = 10;
const tableBytesMax = 4 * 1024 * 1024;

export interface Asked {
  /** Name of its network namespace, and a process in it. */
  readonly namespace: string;
  readonly place: Place;
  readonly inode: string;
}

export class UnixTables {
  /** By namespace: the inodes that were in it. */
  #known = new Map<string, ReadonlySet<string>>();
  #looksWithOpen = 0;

  /** For too many looks something was left open. */
  get isLate(): boolean {
    return this.#looksWithOpen >= tooLateRounds;
  }

  /** Those of the inodes that are unix sockets, and those that nobody had the time to look for. */
  *read(
    asked: readonly Asked[],
    allowance: Allowance,
  ): Steps<{ readonly found: readonly string[]; readonly open: readonly string[] }> {
    const isOver = allowance.part(partMs);
    const found: string[] = [];
    const open: string[] = [];
    const fresh = new Map<string, ReadonlySet<string>>();
    for (const { namespace, place, inode } of asked) {
      if (this.#known.get(namespace)?.has(inode)) found.push(inode);
      else if (fresh.has(namespace) || !isOver()) {
        const inodes = fresh.get(namespace) ?? (yield* inodesOf(place, allowance));
        fresh.set(namespace, inodes);
        if (inodes.has(inode)) found.push(inode);
      } else open.push(inode);
    }
    const wanted = new Set(asked.map(({ namespace }) => namespace));
    const kept = [...this.#known].filter(([name]) => wanted.has(name));
    this.#known = new Map([...kept, ...fresh]);
    this.#looksWithOpen = open.length > 0 ? this.#looksWithOpen + 1 : 0;
    return { found, open };
  }
}

function* inodesOf(place: Place, allowance: Allowance): Steps<ReadonlySet<string>> {
  const inodes = new Set<string>();
  using reader = new LineReader(`/proc/${place}/net/unix`);
  for (let lines = reader.next(); lines && reader.bytes < tableBytesMax; lines = reader.next()) {
    for (const line of lines) {
      const inode = unixInode(line);
      if (inode !== undefined) inodes.add(inode);
    }
    yield* allowance.turn();
  }
  return inodes;
}

/** Of one line of the table. */
function unixInode(line: string): string | undefined {
  return /^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{4} [0-9A-F]{2} +(\d+)/.exec(
    line,
  )?.[1];
}
