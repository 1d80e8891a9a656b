// The connection to Incus's events: made again whenever it is lost, until coid ends.
import { type EventStream, type Incus, IncusError } from '../../incus/client.ts';
import type { IncusEvent } from '../../incus/shapes.ts';
import type { Log } from '../log.ts';

export interface WatchParts {
  readonly incus: Incus;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Told the process id of incusd before anything else; may throw. */
  readonly serverSeen: (pid: number) => void;
  /** From here on every change is heard of. */
  readonly connected: () => void;
  readonly lost: () => void;
  readonly heard: (event: IncusEvent) => void;
}

const reconnectMs = 1000;

export class IncusWatch {
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
    const { incus, serverSeen, signal, log, connected } = this.#parts;
    const { environment } = await incus.server({ signal });
    serverSeen(environment.server_pid);
    const events = incus.events(['lifecycle'], { signal });
    await events.ready;
    this.#events = events;
    log('info', 'incus-connected', {
      pid: environment.server_pid,
      version: environment.server_version,
    });
    connected();
  }

  /** Hands on events, and connects again when they are lost, until the signal. */
  async follow(): Promise<void> {
    const { signal, heard, lost } = this.#parts;
    while (!signal.aborted) {
      try {
        if (!this.#events) await this.connect();
        for await (const event of this.#events ?? []) heard(event);
      } catch (error) {
        this.#tell(error);
      }
      if (this.#events) lost();
      this.#events = undefined;
      await pause(reconnectMs, signal);
    }
  }

  /** That Incus does not answer is said once, not every second. */
  #tell(error: unknown): void {
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
