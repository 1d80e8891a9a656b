// Reads link targets in /proc in a separate thread: on some kernels this waits for the exec of the process, which a container
// can block forever. Neither aio(7) nor Node can cancel reading a link, so a blocked thread is abandoned and replaced; it
// ends when the kernel releases it.
import { readlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** A read that is blocked in the kernel. */
export interface BlockedLinks {
  readonly isOver: () => boolean;
}

/** Targets in the order of the paths; an empty string if there is none. */
export type Links = readonly string[];

export function directLinks(paths: readonly string[]): Links {
  return paths.map((path) => {
    try {
      return readlinkSync(path);
    } catch {
      return '';
    }
  });
}

/** 32 targets per request, at most 4096 bytes each, and decoding may triple each byte. */
const textBytes = 512 * 1024;
export const linksMax = 32;
/** The shared memory starts with three words: whose turn it is, the length of the text, and whether the thread has begun. */
const turn = { at: 0, idle: 0, asked: 1, over: 2 } as const;
const length = 1;
const begun = 2;
const headBytes = 12;
/** Values of `begun`. */
const [notYet, hasBegun, hasEnded] = [0, 1, 2];
/** A thread starts within about 30 ms, later on a busy host. */
const beginMs = 2000;

/** The code of the thread. It imports none of our modules, since a bundle has no separate file for it. */
const program = `
const { workerData } = require('node:worker_threads');
const { readlinkSync } = require('node:fs');
const words = new Int32Array(workerData, 0, ${headBytes / 4});
const bytes = Buffer.from(workerData, ${headBytes});
const targetOf = (path) => { try { return readlinkSync(path); } catch { return ''; } };
Atomics.store(words, ${begun}, ${hasBegun});
Atomics.notify(words, ${begun});
for (;;) {
  Atomics.wait(words, ${turn.at}, ${turn.idle});
  if (Atomics.load(words, ${turn.at}) === ${turn.over}) break;
  const paths = bytes.toString('utf8', 0, words[${length}]).split('\\0');
  words[${length}] = bytes.write(paths.map(targetOf).join('\\0'));
  if (Atomics.compareExchange(words, ${turn.at}, ${turn.asked}, ${turn.idle}) !== ${turn.asked}) break;
  Atomics.notify(words, ${turn.at});
}
Atomics.store(words, ${begun}, ${hasEnded});
`;

export interface LinkReader {
  /** Undefined after a timeout; then the reader must not be used again. */
  read(paths: readonly string[], limitMs: number): Links | undefined;
  /** Ends the thread as soon as the kernel releases it. */
  end(): void;
  readonly hasEnded: boolean;
}

class LinkThread implements LinkReader {
  readonly #shared = new SharedArrayBuffer(headBytes + textBytes);
  readonly #words = new Int32Array(this.#shared, 0, headBytes / 4);
  readonly #bytes = Buffer.from(this.#shared, headBytes);

  constructor() {
    const worker = new Worker(program, {
      eval: true,
      workerData: this.#shared,
      // The options of this process do not apply to it.
      execArgv: [],
      // It only holds some paths.
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
    });
    worker.unref();
    // `exit` follows.
    worker.on('error', () => {});
    worker.on('exit', () => void Atomics.store(this.#words, begun, hasEnded));
  }

  read(paths: readonly string[], limitMs: number): Links | undefined {
    const words = this.#words;
    Atomics.wait(words, begun, notYet, beginMs);
    if (Atomics.load(words, begun) !== hasBegun) return undefined;
    words[length] = this.#bytes.write(paths.join('\0'));
    Atomics.store(words, turn.at, turn.asked);
    Atomics.notify(words, turn.at);
    Atomics.wait(words, turn.at, turn.asked, limitMs);
    if (Atomics.load(words, turn.at) !== turn.idle) return undefined;
    return this.#bytes.toString('utf8', 0, words[length]).split('\0');
  }

  end(): void {
    Atomics.store(this.#words, turn.at, turn.over);
    Atomics.notify(this.#words, turn.at);
  }

  get hasEnded(): boolean {
    return Atomics.load(this.#words, begun) === hasEnded;
  }
}

/** The limit for all containers together. Each thread uses about ten MB. */
const blockedMax = 8;

export class LinkThreads {
  readonly #blocked = new Set<LinkReader>();
  readonly #make: () => LinkReader;
  #current: LinkReader | undefined;

  constructor(make: () => LinkReader = () => new LinkThread()) {
    this.#make = make;
  }

  /** Starts the thread ahead of the first read. */
  begin(): void {
    this.#current ??= this.#make();
  }

  /** Whether a thread is blocked in the kernel; it would also delay the exit of this process. */
  get hasBlocked(): boolean {
    this.#forget();
    return this.#blocked.size > 0;
  }

  read(paths: readonly string[], limitMs: number): Links | BlockedLinks {
    this.#forget();
    if (this.#blocked.size >= blockedMax) return { isOver: () => !this.hasBlocked };
    this.begin();
    const thread = this.#current;
    const targets = thread?.read(paths, limitMs);
    if (targets || !thread) return targets ?? [];
    this.#current = undefined;
    this.#blocked.add(thread);
    thread.end();
    return { isOver: () => thread.hasEnded };
  }

  #forget(): void {
    for (const thread of this.#blocked) if (thread.hasEnded) this.#blocked.delete(thread);
  }
}
