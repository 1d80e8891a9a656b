// Inodes of unix sockets by network namespace: /proc/<pid>/net/unix. Read on demand only.
import { LineReader } from '../linux/proc-file.ts';
import type { Allowance, Steps } from './allowance.ts';
import type { ProcPath } from './processes.ts';
import { tooLateRounds } from './read-order.ts';

/** Milliseconds per scan. */
const partMs = 10;
const tableBytesMax = 4 * 1024 * 1024;

export interface InodeQuery {
  /** The name of the network namespace, and a process in it. */
  readonly namespace: string;
  readonly procPath: ProcPath;
  readonly inode: string;
}

export class UnixTables {
  /** The inodes of each namespace. */
  #known = new Map<string, ReadonlySet<string>>();
  #scansWithOpen = 0;

  /** Some inodes have been left unresolved for too many scans. */
  get isLate(): boolean {
    return this.#scansWithOpen >= tooLateRounds;
  }

  /** The inodes that are unix sockets, and those that there was no time to look up. */
  *read(
    asked: readonly InodeQuery[],
    allowance: Allowance,
  ): Steps<{ readonly found: readonly string[]; readonly open: readonly string[] }> {
    const isOver = allowance.startLimit(partMs);
    const found: string[] = [];
    const open: string[] = [];
    const fresh = new Map<string, ReadonlySet<string>>();
    for (const { namespace, procPath, inode } of asked) {
      if (this.#known.get(namespace)?.has(inode)) found.push(inode);
      else if (fresh.has(namespace) || !isOver()) {
        const inodes = fresh.get(namespace) ?? (yield* inodesOf(procPath, allowance));
        fresh.set(namespace, inodes);
        if (inodes.has(inode)) found.push(inode);
      } else open.push(inode);
    }
    const wanted = new Set(asked.map(({ namespace }) => namespace));
    const kept = [...this.#known].filter(([name]) => wanted.has(name));
    this.#known = new Map([...kept, ...fresh]);
    this.#scansWithOpen = open.length > 0 ? this.#scansWithOpen + 1 : 0;
    return { found, open };
  }
}

function* inodesOf(procPath: ProcPath, allowance: Allowance): Steps<ReadonlySet<string>> {
  const inodes = new Set<string>();
  using reader = new LineReader(`/proc/${procPath}/net/unix`);
  for (let lines = reader.next(); lines && reader.bytes < tableBytesMax; lines = reader.next()) {
    for (const line of lines) {
      const inode = unixInode(line);
      if (inode !== undefined) inodes.add(inode);
    }
    yield* allowance.yieldIfDue();
  }
  return inodes;
}

/** The inode in one line of the table. */
function unixInode(line: string): string | undefined {
  return /^[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{8} [0-9A-F]{4} [0-9A-F]{2} +(\d+)/.exec(
    line,
  )?.[1];
}
