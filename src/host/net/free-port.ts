// Checks whether a port of this host is free.
import { createServer } from 'node:net';

/** True if this user can listen there now, or Incus can if the port is reserved for root. */
export async function isPortFree(address: string, port: number): Promise<boolean> {
  const refusal = await portRefusal(address, port);
  if (refusal !== 'EACCES') return refusal === undefined;
  const { listeners } = await import('../proc/port-holder.ts');
  return listeners(port).length === 0;
}

/** Checks every address of `localhost`: browsers try ::1 first. */
export async function isLocalPortFree(port: number): Promise<boolean> {
  const [free, refusal] = await Promise.all([
    isPortFree('127.0.0.1', port),
    portRefusal('::1', port),
  ]);
  return free && refusal !== 'EADDRINUSE';
}

/** The error code of listening there; undefined if it succeeds. */
function portRefusal(address: string, port: number): Promise<string | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'failed'));
    server.listen({ host: address, port, exclusive: true }, () =>
      server.close(() => resolve(undefined)),
    );
  });
}
