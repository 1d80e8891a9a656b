// Reads small files of /proc and /sys, whose content is generated on read, so their size is unknown.
import { closeSync, openSync, readSync } from 'node:fs';

/** Most files are smaller, and Node pools buffers below 4096 bytes. */
const firstChunkBytes = 4000;
const chunkBytes = 65_536;
const defaultMaxBytes = 8 * 1024 * 1024;

/** Undefined if the file does not exist or disappeared meanwhile. */
export function readText(
  path: string,
  options: { maxBytes?: number; encoding?: 'utf8' | 'latin1' } = {},
): string | undefined {
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  const chunks: Buffer[] = [];
  let total = 0;
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(
        Math.min(total === 0 ? firstChunkBytes : chunkBytes, maxBytes - total),
      );
      const count = chunk.length === 0 ? 0 : readSync(fd, chunk, 0, chunk.length, null);
      if (count === 0) break;
      total += count;
      chunks.push(chunk.subarray(0, count));
    }
  } catch {
    // ESRCH: the process ended between the open and the read.
    return undefined;
  } finally {
    closeSync(fd);
  }
  return (chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)).toString(
    options.encoding ?? 'utf8',
  );
}

/** Reads the lines of a generated file in chunks: a table may be long. */
export class LineReader implements Disposable {
  readonly #fd: number | undefined;
  readonly #chunk = Buffer.allocUnsafe(chunkBytes);
  #rest = '';
  #bytes = 0;
  #ended = false;

  /** A file that cannot be read has no lines. */
  constructor(path: string) {
    try {
      this.#fd = openSync(path, 'r');
    } catch {
      this.#ended = true;
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The next complete lines; undefined at the end. */
  next(): string[] | undefined {
    if (this.#ended || this.#fd === undefined) return undefined;
    const count = readSome(this.#fd, this.#chunk);
    this.#bytes += count;
    this.#ended = count === 0;
    const lines = (this.#rest + this.#chunk.toString('latin1', 0, count)).split('\n');
    this.#rest = this.#ended ? '' : (lines.pop() ?? '');
    return lines;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}

/** 0 at the end, or if the process has ended meanwhile. */
function readSome(fd: number, chunk: Buffer): number {
  try {
    return readSync(fd, chunk, 0, chunk.length, null);
  } catch {
    return 0;
  }
}
