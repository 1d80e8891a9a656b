// The subscription to Incus events; reconnects until coid stops.
import { type EventStream, type Incus, IncusError } from '../../incus/client.ts';
import type { IncusEvent } from '../../incus/shapes.ts';
import type { Log } from '../log.ts';

export interface WatchParts {
  readonly incus: Incus;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Called first, with the pid of incusd; may throw. */
  readonly serverSeen: (pid: number) => void;
  /** Called when events start to arrive. */
  readonly onConnected: () => void;
  readonly onLost: () => void;
  readonly onEvent: (event: IncusEvent) => void;
}

const reconnectMs = 1000;

export class IncusEvents {
  readonly #parts: WatchParts;
  #events: EventStream | undefined;

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  get isConnected(): boolean {
    return this.#events !== undefined;
  }

  /** Throws IncusError, or what `serverSeen` throws. */
  async connect(): Promise<void> {
    const { incus, serverSeen, signal, log, onConnected } = this.#parts;
    const { environment } = await incus.server({ signal });
    serverSeen(environment.server_pid);
    const events = incus.events(['lifecycle'], { signal });
    await events.ready;
    this.#events = events;
    log('info', 'incus-connected', {
      pid: environment.server_pid,
      version: environment.server_version,
    });
    onConnected();
  }

  /** Passes on events and reconnects until the signal. */
  async run(): Promise<void> {
    const { signal, onEvent, onLost } = this.#parts;
    while (!signal.aborted) {
      try {
        if (!this.#events) await this.connect();
        for await (const event of this.#events ?? []) onEvent(event);
      } catch (error) {
        this.#logLost(error);
      }
      if (this.#events) onLost();
      this.#events = undefined;
      await pause(reconnectMs, signal);
    }
  }

  /** Logs once that Incus does not answer, not every second. */
  #logLost(error: unknown): void {
    const { signal, log } = this.#parts;
    if (signal.aborted || (!this.#events && error instanceof IncusError)) return;
    log('warning', 'incus-lost', { error: error instanceof Error ? error.message : String(error) });
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
