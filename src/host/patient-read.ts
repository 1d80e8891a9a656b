// Reads of /proc that a container can hold up: the kernel takes a lock of the process that is read (its memory, or that of
// its exec), and whoever in the container has it may wait for a file system that it serves itself (FUSE), for ever.
import { closeSync, openSync } from 'node:fs';
import type { Aio, AioSlot } from './aio.ts';
import { readText } from './read-text.ts';

/** The kernel does not answer. */
export const waits = Symbol('waits');

export interface ProcReader {
  /** At most 4096 bytes; undefined if the process is gone. */
  read(path: string, encoding?: 'utf8' | 'latin1'): string | undefined | typeof waits;
}

/** Waits as long as it takes. */
export const directReader: ProcReader = {
  read: (path, encoding = 'utf8') => readText(path, { maxBytes: 4096, encoding }),
};

/** A read takes some microseconds, but on a busy host its thread waits for a processor. */
const limitMs = 100;
/** Of all containers together. For each a thread waits, which has a stack of some KiB. */
const heldMax = 400;
const ownMax = 8;

interface Held {
  readonly slot: AioSlot;
  readonly fd: number;
}

export class PatientReads {
  readonly #aio: Aio;
  readonly #limitMs: number;
  readonly #held = new Set<Held>();
  /** Slots that nothing is read with. */
  readonly #free: AioSlot[] = [];

  constructor(aio: Aio, limit = limitMs) {
    this.#aio = aio;
    this.#limitMs = limit;
  }

  /** For one container: a process of which a read is held up gets no other, and too many of them stop it for all. */
  forContainer(): ProcReader {
    // Of containers that nobody reads any more.
    for (const one of this.#held) this.#isOver(one);
    const own = new Map<string, Held>();
    return {
      read: (path, encoding = 'utf8') => {
        for (const [process, held] of own) if (this.#isOver(held)) own.delete(process);
        const process = processOf(path);
        if (own.has(process) || own.size >= ownMax || this.#held.size >= heldMax) return waits;
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

/** `/proc/<pid>`, or that of a thread. */
function processOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function opened(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}
