// One at a time: a lock that the kernel lets go of when its holder dies, since it is a listening socket.
import { unlink } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';

export interface Lock {
  release(): Promise<void>;
}

/** Takes the lock at that path (in a directory that only the user can write), or returns undefined if a living process holds it. */
export async function takeLock(path: string): Promise<Lock | undefined> {
  const first = await listen(path);
  if (first || (await isAnswered(path))) return first;
  // Its holder was killed and left the file. Should two find that out at once, one of them fails to listen again.
  await unlink(path).catch(() => {
    // Somebody else was quicker; listening decides.
  });
  return listen(path);
}

function listen(path: string): Promise<Lock | undefined> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(path, () => {
      // A lock that is still held must not keep the program alive.
      server.unref();
      resolve({ release: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

function isAnswered(path: string): Promise<boolean> {
  const socket = createConnection(path);
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  }).finally(() => socket.destroy()) as Promise<boolean>;
}
