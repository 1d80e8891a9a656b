// A small Incus: HTTP and websockets on a unix socket with in-memory state. test/contract verifies it.
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type WebSocket, WebSocketServer } from 'ws';
import { Execs, type ScriptedCommand } from './exec.ts';
import { type Fault, Faults } from './faults.ts';
import { fileRoutes } from './files.ts';
import { instanceRoutes } from './instances.ts';
import { Operations, Refusal } from './operations.ts';
import { resourceRoutes } from './resources.ts';
import {
  accepted,
  type FakeDaemon,
  type Reply,
  type Route,
  route,
  send,
  sendError,
} from './routes.ts';
import { FakeState } from './state.ts';

export interface FakeIncus extends AsyncDisposable {
  readonly socketPath: string;
  readonly state: FakeState;
  readonly faults: Faults;
  /** Every request so far, as `GET /1.0/instances?recursion=1`. */
  readonly requests: readonly string[];
  /** Resolves when the next matching request has arrived (a fault may delay its answer). */
  nextRequest(method: string, path: RegExp): Promise<void>;
  /** Resolves when every subscriber has received all events so far or has hung up. */
  eventsDelivered(): Promise<void>;
  /** Closes every connection at once, like a dying daemon; the socket stays and new connections work. */
  cutAll(): void;
  close(): Promise<void>;
}

/** Starts one on a socket in a temporary directory; `close` (or `await using`) removes it. */
export async function startFakeIncus(
  options: { commands?: readonly ScriptedCommand[] } = {},
): Promise<FakeIncus> {
  const directory = await mkdtemp(join(tmpdir(), 'coit-incus-'));
  const socketPath = join(directory, 'unix.socket');
  const daemon: FakeDaemon = { state: new FakeState(), operations: new Operations() };
  const faults = new Faults();
  const requests = new RequestLog();
  const execs = new Execs(options.commands ?? []);
  const routes = [
    ...instanceRoutes,
    ...fileRoutes,
    ...resourceRoutes,
    route('POST /1.0/instances/*/exec', (request) => execs.start(request, daemon)),
  ];
  const server = createServer((request, response) => {
    requests.add(request);
    const fault = faults.next(request.method ?? '', request.url ?? '');
    answer(request, response, routes, daemon, fault).catch((error: unknown) => {
      if (error instanceof Refusal) sendError(response, error.status, error.message);
      else if (!response.destroyed) sendError(response, 500, String(error));
    });
  });
  const connections = new Set<Duplex>();
  server.on('connection', (connection: Duplex) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  const subscribers = new Set<WebSocket>();
  server.on('upgrade', upgradeHandler(daemon, execs, requests, faults, subscribers));
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  const cutAll = () => {
    for (const connection of connections) connection.destroy();
  };
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    cutAll();
    await closed;
    await rm(directory, { recursive: true, force: true });
  };
  return {
    socketPath,
    state: daemon.state,
    faults,
    requests: requests.lines,
    nextRequest: (method, path) => requests.next(method, path),
    eventsDelivered: () => delivered(subscribers),
    cutAll,
    close,
    [Symbol.asyncDispose]: close,
  };
}

class RequestLog {
  readonly lines: string[] = [];
  readonly #awaited = new Set<(request: IncomingMessage) => void>();

  add(request: IncomingMessage): void {
    this.lines.push(`${request.method} ${request.url}`);
    for (const look of this.#awaited) look(request);
  }

  next(method: string, path: RegExp): Promise<void> {
    return new Promise((resolve) => {
      const look = (request: IncomingMessage) => {
        if (request.method !== method || !path.test(request.url ?? '')) return;
        this.#awaited.delete(look);
        resolve();
      };
      this.#awaited.add(look);
    });
  }
}

async function delivered(subscribers: ReadonlySet<WebSocket>): Promise<void> {
  for (const socket of subscribers) {
    // Answered in order: earlier messages have arrived by then.
    const answered = Promise.race([once(socket, 'pong'), once(socket, 'close')]);
    socket.ping();
    await answered;
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  routes: readonly Route[],
  daemon: FakeDaemon,
  fault: Fault | undefined,
): Promise<void> {
  const raw = await buffer(request);
  if (fault?.kind === 'fail') throw new Refusal(fault.status, fault.message);
  if (fault?.kind === 'drop' && fault.when === 'before') return void request.socket.destroy();
  if (fault?.kind === 'hold' && fault.when === 'before') await fault.until;
  const { message } = fault?.kind === 'fail-operation' ? fault : {};
  const reply =
    message === undefined
      ? await handle(request, raw, routes, daemon)
      : accepted(
          daemon.operations.start('Failing', async () => Promise.reject(new Error(message))),
        );
  if (fault?.kind === 'drop') return void request.socket.destroy();
  if (fault?.kind === 'hold' && fault.when === 'after') await fault.until;
  send(response, reply);
}

async function handle(
  request: IncomingMessage,
  raw: Buffer,
  routes: readonly Route[],
  daemon: FakeDaemon,
): Promise<Reply> {
  const url = new URL(request.url ?? '/', 'http://incus');
  const { method = 'GET', headers } = request;
  for (const entry of routes) {
    const match = entry.method === method ? entry.pattern.exec(url.pathname) : null;
    if (!match) continue;
    const args = match.slice(1).map(decodeURIComponent);
    const json = <T>() => JSON.parse(raw.toString('utf8')) as T;
    return entry.handle(
      { method, path: url.pathname, query: url.searchParams, headers, args, raw, json },
      daemon,
    );
  }
  throw new Refusal(404, 'not found');
}

function upgradeHandler(
  { state }: FakeDaemon,
  execs: Execs,
  requests: RequestLog,
  faults: Faults,
  subscribers: Set<WebSocket>,
) {
  const sockets = new WebSocketServer({ noServer: true });
  return (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    requests.add(request);
    const url = new URL(request.url ?? '/', 'http://incus');
    const secret = url.searchParams.get('secret') ?? '';
    const isEvents = url.pathname === '/1.0/events';
    if (faults.next('GET', request.url ?? '') || (!isEvents && !execs.has(secret))) {
      connection.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, connection, head, (socket: WebSocket) => {
      if (!isEvents) return execs.connect(secret, socket);
      const listener = (event: unknown) => socket.send(JSON.stringify(event));
      state.listeners.add(listener);
      subscribers.add(socket);
      socket.once('close', () => {
        state.listeners.delete(listener);
        subscribers.delete(socket);
      });
    });
  };
}
