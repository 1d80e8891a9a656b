// Creates the directory and the socket of a root service so that nobody can have planted them.
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  unlinkSync,
} from 'node:fs';
import type { Server } from 'node:http';

/** Creates a directory with that mode, or accepts an existing one that this user owns. Throws an Error with the path. */
export function ensureOwnDirectory(path: string, mode: number): void {
  mkdirSync(path, { recursive: true, mode });
  const stats = lstatSync(path);
  if (!stats.isDirectory() || stats.uid !== process.getuid?.())
    throw new Error(`${path} is not a directory owned by this user`);
  if ((stats.mode & 0o7777) !== mode) chmodSync(path, mode);
}

/** Listens; the socket replaces a dead one and appears with its final owner and mode. */
export async function listenOnSocket(
  server: Server,
  path: string,
  access: { mode: number; gid: number | undefined },
): Promise<void> {
  const staging = `${path}.${process.pid}`;
  ignoreMissing(() => unlinkSync(staging));
  const before = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(staging, resolve);
    });
  } finally {
    process.umask(before);
  }
  if (access.gid !== undefined) chownSync(staging, 0, access.gid);
  chmodSync(staging, access.mode);
  renameSync(staging, path);
}

/** Removes the socket if it exists. */
export function removeSocket(path: string): void {
  ignoreMissing(() => unlinkSync(path));
}

/** The id of a group in /etc/group, or undefined. */
export function groupId(name: string): number | undefined {
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name}:`));
  const gid = Number(line?.split(':')[2] || Number.NaN);
  return Number.isInteger(gid) ? gid : undefined;
}

function ignoreMissing(run: () => void): void {
  try {
    run();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
