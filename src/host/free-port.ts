// Whether a port of this host can be listened on.
import { createServer } from 'node:net';

/** True if a listener could be opened there just now. */
export function isPortFree(address: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ host: address, port, exclusive: true }, () =>
      server.close(() => resolve(true)),
    );
  });
}
