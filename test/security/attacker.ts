// A server that reverse shells connect to.
import { createServer, type Server, type Socket } from 'node:net';

export interface Attacker extends AsyncDisposable {
  readonly port: number;
  readonly connected: Promise<Socket>;
}

/** Types a command into every shell that connects. */
export async function startAttacker(): Promise<Attacker> {
  let taken: (socket: Socket) => void = () => undefined;
  const connected = new Promise<Socket>((resolve) => {
    taken = resolve;
  });
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => sockets.delete(socket));
    socket.write('id\n');
    taken(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    port,
    connected,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
