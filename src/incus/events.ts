// The daemon's events. A reader that is too slow gets an error instead of gaps, since a gap would leave a wrong state.
// Source: doc/events.md of Incus. The server pings every 10 s.
import type { Api } from './call.ts';
import type { EventStream, Incus } from './client.ts';
import { callError } from './http.ts';
import type { IncusEvent } from './shapes.ts';
import { socketOpener } from './websocket.ts';

const silenceLimitMs = 30_000;
const queueMax = 4096;

export function eventCalls(api: Api): Pick<Incus, 'events'> {
  return { events: (types, options = {}) => new Subscription(api, types, options.signal) };
}

class Subscription implements EventStream {
  readonly ready: Promise<void>;
  readonly #call: { method: string; path: string };
  readonly #queue: IncusEvent[] = [];
  /** Set when the stream has ended: the error, or `undefined` after `close`. */
  #over: { error: unknown } | undefined;
  #waiting:
    | { resolve(result: IteratorResult<IncusEvent>): void; reject(error: unknown): void }
    | undefined;
  #terminate: () => void = () => {};
  #silence: NodeJS.Timeout | undefined;

  constructor(api: Api, types: readonly string[], signal: AbortSignal | undefined) {
    const path = api.url(`/events?type=${types.join(',')}`);
    this.#call = { method: 'GET', path };
    const abort = () => this.#finish(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.ready = this.#subscribe(api.http.socketPath, path);
    this.ready.catch((error) => this.#finish(error));
    this.#terminate = () => signal?.removeEventListener('abort', abort);
    if (signal?.aborted) abort();
  }

  close(): void {
    this.#finish(undefined);
  }

  [Symbol.asyncIterator](): AsyncIterator<IncusEvent> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  async #subscribe(socketPath: string, path: string): Promise<void> {
    const open = await socketOpener(socketPath);
    if (this.#over)
      throw (
        this.#over.error ?? callError(this.#call, 'ECONNABORTED', 'the subscription was closed')
      );
    const { socket, opened } = open(path);
    const forget = this.#terminate;
    this.#terminate = () => {
      forget();
      socket.terminate();
    };
    const alive = () => this.#restartSilence();
    alive();
    socket.on('ping', alive);
    socket.on('message', (data: Buffer) => {
      alive();
      this.#take(data);
    });
    socket.once('close', () =>
      this.#finish(callError(this.#call, 'ECONNRESET', 'the event connection was lost')),
    );
    await opened;
    // The daemon registers the listener after it has accepted the upgrade, and answers a ping only after that.
    await new Promise<void>((resolve, reject) => {
      socket.once('pong', () => resolve());
      socket.once('close', () =>
        reject(callError(this.#call, 'ECONNRESET', 'the event connection was lost')),
      );
      socket.ping();
    });
  }

  #restartSilence(): void {
    clearTimeout(this.#silence);
    if (this.#over) return;
    this.#silence = setTimeout(
      () =>
        this.#finish(callError(this.#call, 'ETIMEDOUT', 'nothing received from Incus for 30 s')),
      silenceLimitMs,
    );
  }

  #take(data: Buffer): void {
    if (this.#over) return;
    let event: IncusEvent;
    try {
      event = JSON.parse(data.toString('utf8'));
    } catch (error) {
      this.#finish(callError(this.#call, 'EPROTO', 'an event is not JSON', error));
      return;
    }
    // An event without metadata is ignored.
    if (!event?.metadata) return;
    if (event.type === 'lifecycle') event.instance = instanceOf(event.metadata.source);
    if (this.#waiting) {
      this.#waiting.resolve({ done: false, value: event });
      this.#waiting = undefined;
    } else if (this.#queue.length < queueMax) {
      this.#queue.push(event);
    } else {
      this.#finish(
        callError(this.#call, 'EOVERFLOW', `the reader is more than ${queueMax} events behind`),
      );
    }
  }

  /** Events received before the end are still delivered. */
  #next(): Promise<IteratorResult<IncusEvent>> {
    const event = this.#queue.shift();
    if (event) return Promise.resolve({ done: false, value: event });
    if (this.#over) {
      const { error } = this.#over;
      return error === undefined
        ? Promise.resolve({ done: true, value: undefined })
        : Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  #finish(error: unknown): void {
    if (this.#over) return;
    this.#over = { error };
    clearTimeout(this.#silence);
    this.#terminate();
    if (error === undefined) this.#waiting?.resolve({ done: true, value: undefined });
    else this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}

/** The name in `/1.0/instances/NAME...`. */
function instanceOf(source: string): string | undefined {
  const [, name] = /^\/1\.0\/instances\/([^/?]+)/.exec(source) ?? [];
  return name === undefined ? undefined : decodeURIComponent(name);
}
