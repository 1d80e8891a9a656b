// Whether a port of this host can be listened on.
import { createServer } from 'node:net';

/** True if a listener could be opened there just now: by this user, or by Incus where only root may. */
export async function isPortFree(address: string, port: number): Promise<boolean> {
  const refusal = await portRefusal(address, port);
  if (refusal !== 'EACCES') return refusal === undefined;
  const { listeners } = await import('../proc/port-holder.ts');
  return listeners(port).length === 0;
}

/** The same for all that `localhost` may mean: a browser asks ::1 first. */
export async function isLocalPortFree(port: number): Promise<boolean> {
  const [free, refusal] = await Promise.all([
    isPortFree('127.0.0.1', port),
    portRefusal('::1', port),
  ]);
  return free && refusal !== 'EADDRINUSE';
}

/** The code of the error that a listener meets there; undefined where it meets none. */
function portRefusal(address: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'failed'));
    server.listen({ host: address, port, exclusive: true }, () =>
      server.close(() => resolve(undefined)),
    );
  });
}
