// A socket that relays to Incus until the test closes it, as when the daemon is killed during a call, or until a client
// reaches a given call and is killed there.
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { incusSocketPath } from '../../src/incus/open.ts';
import { testPrefix } from './prefix.ts';

/** `before` Incus receives a call, after it has `answered` (the answer is dropped), or `passing`: this call and later ones pass. */
export type Moment = 'before' | 'answered' | 'passing';

export interface IncusRelay extends AsyncDisposable {
  /** Value of INCUS_SOCKET for a program that should use the relay. */
  readonly socketPath: string;
  /** Closes every connection and the socket. */
  die(): void;
  /** Calls `strike` at the matching call with that number, counted from now. */
  strikeAt(nth: number, moment: Moment, calls: RegExp, strike: () => void): Strike;
}

export interface Strike {
  /** The call at which it struck, as `METHOD /path`; undefined until then. */
  readonly at: string | undefined;
  /** All calls that Incus has received since, in order. */
  readonly delivered: readonly string[];
}

/**
 * Opens the relay for every user of the host. It closes when a request that contains `fatal` arrives: before
 * Incus receives it or, with `delivered`, after Incus has accepted it, together with the answer.
 */
export async function openRelay(
  fatal?: string,
  { delivered = false }: { readonly delivered?: boolean } = {},
): Promise<IncusRelay> {
  const directory = await mkdtemp(`/tmp/${testPrefix}-relay-`);
  await chmod(directory, 0o755);
  const socketPath = join(directory, 'incus.sock');
  const sockets = new Set<Socket>();
  let armed: Armed | undefined;
  const server = createServer((near) => {
    const far = connect(incusSocketPath(process.env));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
    /** Replaces Incus's next answer. */
    let instead: (() => void) | undefined;
    far.on('data', (chunk: Buffer) => (instead ? instead() : near.write(chunk)));
    near.on('data', (chunk: Buffer) => {
      const isFatal = fatal !== undefined && chunk.includes(fatal);
      if (isFatal && !delivered) return die();
      instead = isFatal ? die : undefined;
      const [, call] = /^([A-Z]+ \/\S*) HTTP\/1\.1\r\n/.exec(chunk.toString('latin1')) ?? [];
      const moment = call === undefined ? undefined : armed?.momentOf(call);
      if (moment === 'before') return near.destroy();
      if (moment === 'answered') {
        instead = () => {
          armed?.answered();
          near.destroy();
        };
      }
      far.write(chunk);
    });
  });
  const die = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  server.listen(socketPath);
  await once(server, 'listening');
  await chmod(socketPath, 0o666);
  return {
    socketPath,
    die,
    strikeAt: (...wish) => {
      armed = new Armed(...wish);
      return armed;
    },
    [Symbol.asyncDispose]: async () => {
      die();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Counts calls down. */
class Armed implements Strike {
  at: string | undefined;
  readonly delivered: string[] = [];
  #left: number;
  readonly #moment: Moment;
  readonly #calls: RegExp;
  readonly #strike: () => void;

  constructor(nth: number, moment: Moment, calls: RegExp, strike: () => void) {
    this.#left = nth;
    this.#moment = moment;
    this.#calls = calls;
    this.#strike = strike;
  }

  /** When to strike at this call; undefined for one that passes. */
  momentOf(call: string): Moment | undefined {
    if (this.at !== undefined) return this.#moment === 'passing' ? undefined : 'before';
    if (this.#calls.test(call)) this.#left -= 1;
    if (this.#left > 0 || !this.#calls.test(call)) {
      this.delivered.push(call);
      return undefined;
    }
    this.at = call;
    if (this.#moment !== 'answered') this.#strike();
    if (this.#moment !== 'before') this.delivered.push(call);
    return this.#moment;
  }

  answered(): void {
    this.#strike();
  }
}
