// Connection tests: whether this host can reach an address, and a listener that records whether it was reached.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export interface Listener extends AsyncDisposable {
  readonly port: number;
  readonly reached: () => boolean;
}

/** Listens on a free port of that address until disposed. Throws if the host does not have the address. */
export async function openListener(address: string): Promise<Listener> {
  let reached = false;
  const server = createServer((socket) => {
    reached = true;
    socket.destroy();
  });
  server.listen({ host: address, port: 0 });
  await once(server, 'listening');
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : 0,
    reached: () => reached,
    [Symbol.asyncDispose]: async () => void server.close(),
  };
}

/** Whether a connection can be opened within that time. Never rejects. */
export function canConnect(host: string, port: number, limitMs: number): Promise<boolean> {
  const socket = connect({ host, port, signal: AbortSignal.timeout(limitMs) });
  return new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  }).finally(() => socket.destroy());
}
