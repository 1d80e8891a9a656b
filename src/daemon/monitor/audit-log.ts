// The audit logs of all sessions: <state dir>/audit/<owner uid>/<container>.jsonl, only for root; rotated parts end in
// .1, .2 … Why not in the owner's home: docs/decisions.
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
  chainRecord,
  chainStart,
  headAfter,
} from '../../monitor/audit.ts';
import { readState } from '../state-file.ts';

const defaultPartBytes = 4 * 1024 * 1024;
export const partsMax = 8;
const defaultDays = 30;
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

  constructor(stateDir: string, now: () => Date, partBytesMax = defaultPartBytes) {
    this.#partBytesMax = partBytesMax;
    this.#directory = join(stateDir, 'audit');
    this.#now = now;
  }

  /** Appends one record and wakes waiting readers. Throws file system errors. */
  append(log: LogName, record: AuditRecord): void {
    const path = this.#path(log);
    mkdirSync(join(this.#directory, String(log.owner)), { recursive: true, mode: 0o700 });
    const before = this.#head(path);
    this.#rotate(path);
    const { line, head } = chainRecord(before, record);
    appendFileSync(path, line, { mode: 0o600 });
    // Stored separately, so that a truncated log is detected.
    writeFileSync(`${path}.head`, JSON.stringify(head), { mode: 0o600 });
    this.#heads.set(path, head);
    for (const wake of this.#waiting.get(path) ?? []) wake();
  }

  /** Lines, oldest first, and the stored head. At least the last `count` lines: older parts are skipped. */
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

  /** The stored head of the chain. */
  head(log: LogName): ChainHead | undefined {
    return readState(`${this.#path(log)}.head`, headShape);
  }

  /** Resolves after an append, or after the limit. */
  untilAppended(log: LogName, limitMs: number, signal: AbortSignal): Promise<void> {
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

  /** Owners with a log of that container. */
  ownersOf(container: string): number[] {
    return entries(this.#directory)
      .filter((owner) => existsSync(join(this.#directory, owner, `${container}.jsonl`)))
      .map(Number);
  }

  /** Sets how long lines are kept, also after the session is gone; 0: forever. */
  keepFor(log: LogName, days: number): void {
    const path = this.#path(log);
    mkdirSync(join(this.#directory, String(log.owner)), { recursive: true, mode: 0o700 });
    writeFileSync(`${path}.days`, String(days), { mode: 0o600 });
  }

  /** Removes parts beyond their log's retention time. A log without new lines for that long is removed completely. */
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
    for (const extension of ['head', 'days']) rmSync(`${path}.${extension}`, { force: true });
  }

  #rotate(path: string): void {
    if (!existsSync(path) || statSync(path).size < this.#partBytesMax) return;
    for (let part = partsMax - 1; part >= 1; part -= 1) {
      if (existsSync(`${path}.${part}`)) renameSync(`${path}.${part}`, `${path}.${part + 1}`);
    }
    rmSync(`${path}.${partsMax}`, { force: true });
    renameSync(path, `${path}.1`);
  }

  /** The head to continue from. A partial last line after a host crash is removed. */
  #head(path: string): ChainHead {
    const known = this.#heads.get(path);
    if (known) return known;
    const last = linesOf(path).at(-1);
    const end = last === undefined ? undefined : headAfter(last);
    if (last !== undefined && !end && existsSync(path)) cutLastLine(path);
    return end ?? readState(`${path}.head`, headShape) ?? chainStart;
  }

  #path({ owner, container }: LogName): string {
    // Both are validated: a number, and a name that Incus allows.
    return join(this.#directory, String(owner), `${container}.jsonl`);
  }
}

/** Oldest part first. */
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
  const days = Number(existsSync(path) ? readFileSync(path, 'utf8') : defaultDays);
  return Number.isInteger(days) && days >= 0 ? days : defaultDays;
}
