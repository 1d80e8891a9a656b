// Buffers a starter's stderr until its command is known to run: reading keeps a full pipe from blocking the starter, and the
// buffer is passed on to the later reader.
import { finished, PassThrough, type Readable } from 'node:stream';

/** Before the starter has its command, only the end of its output is kept. */
const tailBytes = 4096;
/** Afterwards it may be the command's output, which must not be lost: beyond this limit the stream is paused. */
const wholeBytes = 2 ** 20;

export class StarterErrors {
  readonly #source: Readable;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #whole = false;
  #ended = false;
  readonly #read = (chunk: Buffer) => this.#add(chunk);
  readonly #end = () => {
    this.#ended = true;
  };

  constructor(source: Readable) {
    this.#source = source;
    source.on('data', this.#read);
    source.once('end', this.#end);
    source.once('close', this.#end);
  }

  /** Keeps everything from now on. */
  keepAll(): void {
    this.#whole = true;
  }

  text(): string {
    return Buffer.concat(this.#chunks).subarray(-tailBytes).toString('utf8').trim();
  }

  /** Stops reading. Returns the paused stream, with the buffered output put back. */
  rest(): Readable {
    this.#source.off('data', this.#read);
    this.#source.off('end', this.#end);
    this.#source.off('close', this.#end);
    const read = Buffer.concat(this.#chunks);
    if (this.#ended) {
      const rest = new PassThrough();
      rest.end(read);
      return rest;
    }
    this.#source.pause();
    if (read.length > 0) this.#source.unshift(read);
    return this.#source;
  }

  #add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#whole && this.#bytes > wholeBytes) this.#source.pause();
    while (!this.#whole && this.#bytes - (this.#chunks[0]?.length ?? 0) >= tailBytes) {
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
    }
  }
}

/** Resolves when the stream was read completely, or has ended. */
export function untilRead(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.readableEnded || stream.destroyed) return resolve();
    finished(stream, () => resolve());
  });
}
