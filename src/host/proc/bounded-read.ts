// Reads of /proc that a container can block: the kernel takes a lock of the process (of its memory or its exec), and a
// process in the container may hold that lock forever, waiting for a FUSE file system that the container itself serves.
import { closeSync, openSync } from 'node:fs';
import type { Aio, AioSlot } from '../linux/aio.ts';
import { readText } from '../linux/proc-file.ts';
import {
  type BlockedLinks,
  directLinks,
  type Links,
  type LinkThreads,
  linksMax,
} from './proc-links.ts';

/** The read is blocked. */
export const blockedRead = Symbol('waits');

export interface FileReader {
  /** At most 4096 bytes; undefined if the process no longer exists. */
  read(path: string, encoding?: 'utf8' | 'latin1'): string | undefined | typeof blockedRead;
}

export interface ProcReader extends FileReader {
  /** Link targets of one process; an empty string if a link cannot be read. */
  links(paths: readonly string[]): Links | typeof blockedRead;
}

/** Waits without a limit. */
export const directReader: ProcReader = {
  read: (path, encoding = 'utf8') => readText(path, { maxBytes: 4096, encoding }),
  links: directLinks,
};

/** A read takes microseconds, but on a busy host its thread waits for a CPU. */
const limitMs = 100;
/** The limit for all containers together. Each blocked read occupies a thread with a stack of some KiB. */
const blockedMax = 400;
const ownMax = 8;
/** Each thread that blocks on a link is replaced by a new one. */
const ownLinksMax = 1;

interface PendingRead {
  readonly slot: AioSlot;
  readonly fd: number;
}

export class BoundedReads {
  readonly #aio: Aio;
  readonly #links: Pick<LinkThreads, 'read' | 'begin'>;
  readonly #limitMs: number;
  readonly #pending = new Set<PendingRead>();
  /** Unused slots. */
  readonly #free: AioSlot[] = [];

  constructor(aio: Aio, links: Pick<LinkThreads, 'read' | 'begin'>, limit = limitMs) {
    this.#aio = aio;
    this.#links = links;
    this.#limitMs = limit;
  }

  /** For one watched container: a process with a blocked read is not read again, and too many of them stop all reads. */
  forContainer(): ProcReader {
    this.#links.begin();
    return this.#reader();
  }

  /** For a few reads, without links. */
  forFiles(): FileReader {
    return this.#reader();
  }

  #reader(): ProcReader {
    // Cleans up after containers that are no longer read.
    for (const one of this.#pending) this.#isOver(one);
    const own = new Map<string, PendingRead>();
    const links = new Map<string, BlockedLinks>();
    /** Whether that process must not be read now. */
    const isBlocked = (process: string) => {
      for (const [other, held] of own) if (this.#isOver(held)) own.delete(other);
      for (const [other, held] of links) if (held.isOver()) links.delete(other);
      return own.has(process) || links.has(process) || own.size >= ownMax;
    };
    return {
      read: (path, encoding = 'utf8') => {
        const process = processOf(path);
        if (isBlocked(process) || this.#pending.size >= blockedMax) return blockedRead;
        const fd = openOrUndefined(path);
        if (fd === undefined) return undefined;
        const begun = this.#begin(fd);
        if (begun?.slot.wait(this.#limitMs)) return this.#end(begun)?.toString(encoding);
        if (begun) {
          this.#pending.add(begun);
          own.set(process, begun);
        }
        return blockedRead;
      },
      links: (paths) => {
        const process = processOf(paths[0] ?? '');
        if (isBlocked(process) || links.size >= ownLinksMax) return blockedRead;
        const targets: string[] = [];
        for (let at = 0; at < paths.length; at += linksMax) {
          const read = this.#links.read(paths.slice(at, at + linksMax), this.#limitMs);
          if ('isOver' in read) {
            links.set(process, read);
            return blockedRead;
          }
          targets.push(...read);
        }
        return targets;
      },
    };
  }

  /** Undefined if no thread is available. */
  #begin(fd: number): PendingRead | undefined {
    const slot = this.#free.pop() ?? this.#aio.slot();
    try {
      slot.begin(fd);
      return { slot, fd };
    } catch {
      closeSync(fd);
      this.#free.push(slot);
      return undefined;
    }
  }

  #isOver(held: PendingRead): boolean {
    if (!this.#pending.has(held)) return true;
    if (!held.slot.wait(0)) return false;
    this.#pending.delete(held);
    this.#end(held);
    return true;
  }

  #end({ slot, fd }: PendingRead): Buffer | undefined {
    const read = slot.result();
    closeSync(fd);
    this.#free.push(slot);
    return read;
  }
}

/** `/proc/<pid>`: the threads of a process share its locks. */
function processOf(path: string): string {
  return /^\/proc\/\d+/.exec(path)?.[0] ?? path.slice(0, path.lastIndexOf('/'));
}

function openOrUndefined(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
