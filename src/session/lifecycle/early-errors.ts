// What a starter says on its stderr before its command is known to run: read, so that no full pipe keeps it from going on, and
// kept for who reads the stream afterwards.
import { finished, PassThrough, type Readable } from 'node:stream';

/** Of what a starter says before it has its command, the end is kept. */
const tailBytes = 4096;
/** From then on it may be the command's, of which nothing may be lost: beyond this it has to wait. */
const wholeBytes = 2 ** 20;

export class EarlyErrors {
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

  /** From now on all is kept. */
  keepAll(): void {
    this.#whole = true;
  }

  text(): string {
    return Buffer.concat(this.#chunks).subarray(-tailBytes).toString('utf8').trim();
  }

  /** Stops reading. Gives the stream, paused, with what was read still in it. */
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

/** Resolves when all of it was read, or there is nothing more to come. */
export function read(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.readableEnded || stream.destroyed) return resolve();
    finished(stream, () => resolve());
  });
}
