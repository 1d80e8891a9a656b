// A data socket of an exec as a Node stream, with backpressure in both directions.
// Source: shared/ws of Incus: data are binary messages, an empty text message ends a direction.
import { Duplex } from 'node:stream';
import type { SocketHandle } from './websocket.ts';

export type Direction = 'read' | 'write' | 'both';

/**
 * Never emits `error`: a lost connection closes it without `end`, and the status of the exec reports the cause.
 * A write to a command that no longer reads is dropped.
 */
export class DataStream extends Duplex {
  readonly #link: SocketHandle;
  #receivedAll = false;

  constructor(link: SocketHandle, ways: Direction) {
    // A finished stdin stays open: the daemon closes its socket when the command has ended.
    const options = {
      readable: ways !== 'write',
      writable: ways !== 'read',
      autoDestroy: ways !== 'write',
    };
    super(options);
    this.#link = link;
    link.socket.on('message', (data: Buffer, isBinary: boolean) => {
      if (ways === 'write' || this.#receivedAll) return;
      this.#receivedAll = !isBinary;
      // The daemon ends a terminal only after both sides have sent their end.
      if (this.#receivedAll && ways === 'both') this.end();
      if (!this.push(isBinary ? data : null) && isBinary) link.socket.pause();
    });
    link.socket.once('close', () => {
      if (this.#receivedAll && !this.readableEnded) this.once('end', () => this.destroy());
      else this.destroy();
    });
  }

  /** Resolves when everything was read or the stream is closed. */
  drained(): Promise<void> {
    if (this.readableEnded || this.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.once('end', resolve);
      this.once('close', resolve);
    });
  }

  override _read(): void {
    this.#link.socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#send(chunk, true, done);
  }

  override _final(done: () => void): void {
    this.#send(Buffer.alloc(0), false, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#link.socket.terminate();
    done(error);
  }

  /** `done` is called when the kernel has accepted the bytes, so a slow command slows the writer; a failed write is dropped. */
  #send(chunk: Buffer, binary: boolean, done: () => void): void {
    this.#link.opened.then(
      () => this.#link.socket.send(chunk, { binary }, () => done()),
      () => done(),
    );
  }
}
