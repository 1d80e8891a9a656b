// Output of a command, kept up to a limit. The rest is read and dropped, so that the command never blocks and memory is limited.
import { StringDecoder } from 'node:string_decoder';

/** For each of the two outputs. As JSON it may be six times as long, and must be one string. */
export const outputBytesDefault = 16 * 1024 * 1024;

/** More may not fit into a string. */
export const outputBytesLimit = 256 * 1024 * 1024;

const blockBytes = 64 * 1024;

export class LimitedOutput {
  readonly #limitBytes: number;
  readonly #blocks: Buffer[] = [];
  #bytes = 0;
  #truncated = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** True when something was dropped. */
  get truncated(): boolean {
    return this.#truncated;
  }

  /** Copies what it keeps: a small piece must not hold on to the large buffer that it came in. */
  add(chunk: Buffer): void {
    const room = this.#limitBytes - this.#bytes;
    if (chunk.length > room) this.#truncated = true;
    for (let from = 0, end = Math.min(chunk.length, room); from < end; ) {
      const at = this.#bytes % blockBytes;
      const block = at === 0 ? Buffer.alloc(blockBytes) : this.#blocks.at(-1);
      if (!block) throw new Error('a block is missing');
      if (at === 0) this.#blocks.push(block);
      const copied = chunk.copy(block, at, from, Math.min(end, from + blockBytes - at));
      from += copied;
      this.#bytes += copied;
    }
  }

  /** As UTF-8; a character that was cut at the limit is left out. */
  text(): string {
    const whole = Buffer.concat(this.#blocks, this.#bytes);
    return this.#truncated ? new StringDecoder('utf8').write(whole) : whole.toString('utf8');
  }
}
