// Reads of /proc that a container can hold up: the kernel takes a lock of the process that is read (its memory, or that of
// its exec), and whoever in the container has it may wait for a file system that it serves itself (FUSE), for ever.
import { closeSync, openSync } from 'node:fs';
import type { Aio, AioSlot } from '../linux/aio.ts';
import { readText } from '../linux/proc-file.ts';
import {
  directLinks,
  type HeldLinks,
  type Links,
  type LinkThreads,
  linksMax,
} from './proc-links.ts';

/** The kernel does not answer. */
export const waits = Symbol('waits');

export interface FileReader {
  /** At most 4096 bytes; undefined if the process is gone. */
  read(path: string, encoding?: 'utf8' | 'latin1'): string | undefined | typeof waits;
}

export interface ProcReader extends FileReader {
  /** Targets of links of one process; an empty text where there is none. */
  links(paths: readonly string[]): Links | typeof waits;
}

/** Waits as long as it takes. */
export const directReader: ProcReader = {
  read: (path, encoding = 'utf8') => readText(path, { maxBytes: 4096, encoding }),
  links: directLinks,
};

/** A read takes some microseconds, but on a busy host its thread waits for a processor. */
const limitMs = 100;
/** Of all containers together. For each a thread waits, which has a stack of some KiB. */
const heldMax = 400;
const ownMax = 8;
/** For each thread that waits for a link, another one is made. */
const ownLinksMax = 1;

interface Held {
  readonly slot: AioSlot;
  readonly fd: number;
}

export class PatientReads {
  readonly #aio: Aio;
  readonly #links: Pick<LinkThreads, 'read' | 'begin'>;
  readonly #limitMs: number;
  readonly #held = new Set<Held>();
  /** Slots that nothing is read with. */
  readonly #free: AioSlot[] = [];

  constructor(aio: Aio, links: Pick<LinkThreads, 'read' | 'begin'>, limit = limitMs) {
    this.#aio = aio;
    this.#links = links;
    this.#limitMs = limit;
  }

  /** For one container that is watched: a process of which a read is held up gets no other, and too many of them stop it for all. */
  forContainer(): ProcReader {
    this.#links.begin();
    return this.#reader();
  }

  /** The same for few reads, and without links. */
  forFiles(): FileReader {
    return this.#reader();
  }

  #reader(): ProcReader {
    // Of containers that nobody reads any more.
    for (const one of this.#held) this.#isOver(one);
    const own = new Map<string, Held>();
    const links = new Map<string, HeldLinks>();
    /** Whether nothing may be asked of that process. */
    const isHeld = (process: string) => {
      for (const [other, held] of own) if (this.#isOver(held)) own.delete(other);
      for (const [other, held] of links) if (held.isOver()) links.delete(other);
      return own.has(process) || links.has(process) || own.size >= ownMax;
    };
    return {
      read: (path, encoding = 'utf8') => {
        const process = processOf(path);
        if (isHeld(process) || this.#held.size >= heldMax) return waits;
        const fd = opened(path);
        if (fd === undefined) return undefined;
        const begun = this.#begun(fd);
        if (begun?.slot.wait(this.#limitMs)) return this.#end(begun)?.toString(encoding);
        if (begun) {
          this.#held.add(begun);
          own.set(process, begun);
        }
        return waits;
      },
      links: (paths) => {
        const process = processOf(paths[0] ?? '');
        if (isHeld(process) || links.size >= ownLinksMax) return waits;
        const targets: string[] = [];
        for (let at = 0; at < paths.length; at += linksMax) {
          const read = this.#links.read(paths.slice(at, at + linksMax), this.#limitMs);
          if ('isOver' in read) {
            links.set(process, read);
            return waits;
          }
          targets.push(...read);
        }
        return targets;
      },
    };
  }

  /** Undefined where no thread is to be had. */
  #begun(fd: number): Held | undefined {
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

  #isOver(held: Held): boolean {
    if (!this.#held.has(held)) return true;
    if (!held.slot.wait(0)) return false;
    this.#held.delete(held);
    this.#end(held);
    return true;
  }

  #end({ slot, fd }: Held): Buffer | undefined {
    const read = slot.result();
    closeSync(fd);
    this.#free.push(slot);
    return read;
  }
}

/** `/proc/<pid>`: its threads share what is held. */
function processOf(path: string): string {
  return /^\/proc\/\d+/.exec(path)?.[0] ?? path.slice(0, path.lastIndexOf('/'));
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
