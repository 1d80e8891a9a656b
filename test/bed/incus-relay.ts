// A socket that leads to the machine's Incus until the test lets it die, as when the daemon is killed in the middle.
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { incusSocketPath } from '../../src/incus/open.ts';
import { testPrefix } from './prefix.ts';

export interface IncusRelay extends AsyncDisposable {
  /** What INCUS_SOCKET has to be for a program that should go through it. */
  readonly socketPath: string;
  /** Ends every connection, and the socket with them. */
  die(): void;
}

/**
 * Opens the relay for every user of the host. It dies by itself when a request that holds `fatal` comes: before
 * Incus has got it, or, with `delivered`, when Incus has accepted it, with its answer.
 */
export async function openRelay(
  fatal?: string,
  { delivered = false }: { readonly delivered?: boolean } = {},
): Promise<IncusRelay> {
  const directory = await mkdtemp(`/tmp/${testPrefix}-relay-`);
  await chmod(directory, 0o755);
  const socketPath = join(directory, 'incus.sock');
  const sockets = new Set<Socket>();
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
    let accepted = false;
    far.on('data', (chunk: Buffer) => (accepted ? die() : near.write(chunk)));
    near.on('data', (chunk: Buffer) => {
      const isFatal = fatal !== undefined && chunk.includes(fatal);
      if (isFatal && !delivered) return die();
      accepted = isFatal;
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
    [Symbol.asyncDispose]: async () => {
      die();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
