// Targets of links of /proc, read by a thread of their own: some kernels let whoever reads one wait for the exec of the
// process, and a container can let that wait for ever. Neither aio(7) nor Node can read a link so that the wait can be
// given up, so the thread is: another one takes its place, and it ends when the kernel lets it go.
import { readlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';

/** One question that the kernel does not answer. */
export interface HeldLinks {
  readonly isOver: () => boolean;
}

/** The target of each; an empty text where there is none. */
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

/** A target has 4096 bytes at most, of which each may become three, and 32 of them are asked for at once. */
const textBytes = 512 * 1024;
export const linksMax = 32;
/** Words of the memory that is shared before the text: whose turn it is, how long the text is, and whether it has begun. */
const turn = { at: 0, idle: 0, asked: 1, over: 2 } as const;
const length = 1;
const begun = 2;
const headBytes = 12;
/** Values of `begun`. */
const [notYet, hasBegun, hasEnded] = [0, 1, 2];
/** A thread begins within some 30 ms; on a busy host later. */
const beginMs = 2000;

/** What the thread runs. It imports nothing of ours: a bundle has no file of its own for it. */
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
  /** Undefined if they could not be read within that time; nothing else may be asked of it then. */
  read(paths: readonly string[], limitMs: number): Links | undefined;
  /** It ends as soon as the kernel lets it. */
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
      // Options of this process are for its own program.
      execArgv: [],
      // It holds some paths.
      resourceLimits: { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 },
    });
    worker.unref();
    // Such an error is followed by its end.
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

/** Of all containers together. Each has some ten MB. */
const heldMax = 8;

export class LinkThreads {
  readonly #held = new Set<LinkReader>();
  readonly #make: () => LinkReader;
  #current: LinkReader | undefined;

  constructor(make: () => LinkReader = () => new LinkThread()) {
    this.#make = make;
  }

  /** Begins the thread, so that the first question need not wait for that. */
  begin(): void {
    this.#current ??= this.#make();
  }

  /** Some thread waits for the kernel, and with it the end of this process. */
  get areHeld(): boolean {
    this.#forget();
    return this.#held.size > 0;
  }

  read(paths: readonly string[], limitMs: number): Links | HeldLinks {
    this.#forget();
    if (this.#held.size >= heldMax) return { isOver: () => !this.areHeld };
    this.begin();
    const thread = this.#current;
    const targets = thread?.read(paths, limitMs);
    if (targets || !thread) return targets ?? [];
    this.#current = undefined;
    this.#held.add(thread);
    thread.end();
    return { isOver: () => thread.hasEnded };
  }

  #forget(): void {
    for (const thread of this.#held) if (thread.hasEnded) this.#held.delete(thread);
  }
}
