// The audit logs of all sessions: <state dir>/audit/<owner uid>/<container>.jsonl, of root alone; old parts have .1, .2 …
// Why here and not in the owner's home: docs/decisions.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import {
  type AuditRecord,
  type ChainHead,
  chained,
  chainStart,
  headAfter,
} from '../../monitor/audit.ts';
import { readState } from '../state-file.ts';

const usualPartBytes = 4 * 1024 * 1024;
export const partsMax = 8;
const usualDays = 30;
const dayMs = 86_400_000;

export interface LogName {
  readonly owner: number;
  readonly container: string;
}

export class AuditLogs {
  readonly #directory: string;
  readonly #now: () => Date;
  readonly #heads = new Map<string, ChainHead>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #partBytesMax: number;

  constructor(stateDir: string, now: () => Date, partBytesMax = usualPartBytes) {
    this.#partBytesMax = partBytesMax;
    this.#directory = join(stateDir, 'audit');
    this.#now = now;
  }

  /** Writes one record; whoever waits for news of that log is woken. Throws errors of the file system. */
  append(log: LogName, record: AuditRecord): void {
    const path = this.#path(log);
    mkdirSync(join(this.#directory, String(log.owner)), { recursive: true, mode: 0o700 });
    const before = this.#head(path);
    this.#rotate(path);
    const { line, head } = chained(before, record);
    appendFileSync(path, line, { mode: 0o600 });
    // Written apart, so that a log that lost its end is noticed.
    writeFileSync(`${path}.head`, JSON.stringify(head), { mode: 0o600 });
    this.#heads.set(path, head);
    for (const wake of this.#waiting.get(path) ?? []) wake();
  }

  /** Lines that are kept, the oldest first, and the head that was written down. At least the last `count`: old parts are not read for less. */
  read(
    log: LogName,
    count = Number.POSITIVE_INFINITY,
  ): { readonly lines: string[]; readonly head: ChainHead | undefined } {
    const path = this.#path(log);
    let lines: string[] = [];
    for (const part of partsOf(path).reverse()) {
      if (lines.length >= count) break;
      lines = [...linesOf(part), ...lines];
    }
    return { lines, head: this.head(log) };
  }

  /** The end that was written down. */
  head(log: LogName): ChainHead | undefined {
    return readState(`${this.#path(log)}.head`, headShape);
  }

  /** Resolves when something is appended, at the latest after that time. */
  changed(log: LogName, limitMs: number, signal: AbortSignal): Promise<void> {
    const path = this.#path(log);
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(path) ?? new Set();
      this.#waiting.set(path, waiting);
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, limitMs);
      waiting.add(done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });
  }

  /** Owners that have a log of that container. */
  ownersOf(container: string): number[] {
    return entries(this.#directory)
      .filter((owner) => existsSync(join(this.#directory, owner, `${container}.jsonl`)))
      .map(Number);
  }

  /** How long the lines of a log are kept, also when its session is gone; 0: for ever. */
  keepFor(log: LogName, days: number): void {
    const path = this.#path(log);
    mkdirSync(join(this.#directory, String(log.owner)), { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.days`, String(days), { mode: 0o600 });
  }

  /** Removes what is older than its log is kept; a log to which nothing was written for so long goes as a whole. */
  expire(): void {
    for (const owner of entries(this.#directory)) {
      const directory = join(this.#directory, owner);
      for (const name of entries(directory).filter((one) => one.endsWith('.jsonl')))
        this.#expireOne(join(directory, name));
    }
  }

  #expireOne(path: string): void {
    const days = readDays(`${path}.days`);
    if (days === 0) return;
    const oldestMs = this.#now().getTime() - days * dayMs;
    for (const part of partsOf(path)) {
      if (statSync(part).mtimeMs < oldestMs) rmSync(part, { force: true });
    }
    if (existsSync(path)) return;
    this.#heads.delete(path);
    for (const beside of ['head', 'days']) rmSync(`${path}.${beside}`, { force: true });
  }

  #rotate(path: string): void {
    if (!existsSync(path) || statSync(path).size < this.#partBytesMax) return;
    for (let part = partsMax - 1; part >= 1; part -= 1) {
      if (existsSync(`${path}.${part}`)) renameSync(`${path}.${part}`, `${path}.${part + 1}`);
    }
    rmSync(`${path}.${partsMax}`, { force: true });
    renameSync(path, `${path}.1`);
  }

  /** Where the chain goes on. A line that was cut off when the host went down is taken away: it says nothing. */
  #head(path: string): ChainHead {
    const known = this.#heads.get(path);
    if (known) return known;
    const last = linesOf(path).at(-1);
    const end = last === undefined ? undefined : headAfter(last);
    if (last !== undefined && !end && existsSync(path)) cutLastLine(path);
    return end ?? readState(`${path}.head`, headShape) ?? chainStart;
  }

  #path({ owner, container }: LogName): string {
    // Both were checked: a number, and a name that Incus allows.
    return join(this.#directory, String(owner), `${container}.jsonl`);
  }
}

/** The oldest part first. */
function partsOf(path: string): string[] {
  const old = Array.from({ length: partsMax }, (_, index) => `${path}.${partsMax - index}`);
  return [...old, path].filter((part) => existsSync(part));
}

function linesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

function cutLastLine(path: string): void {
  const content = readFileSync(path);
  if (content.at(-1) === 0x0a) return;
  truncateSync(path, content.lastIndexOf(0x0a) + 1);
}

const headShape = z.object({ seq: z.number(), hash: z.string() });

function entries(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

function readDays(path: string): number {
  const days = Number(existsSync(path) ? readFileSync(path, 'utf8') : usualDays);
  return Number.isInteger(days) && days >= 0 ? days : usualDays;
}
