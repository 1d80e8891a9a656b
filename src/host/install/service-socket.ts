// The directory and the socket of a service of root's, made so that nobody can have prepared them.
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

/** Makes a directory of root's with that mode, or takes one that is there and is root's own. Throws an Error with the path. */
export function ownDirectory(path: string, mode: number): void {
  mkdirSync(path, { recursive: true, mode });
  const stats = lstatSync(path);
  if (!stats.isDirectory() || stats.uid !== process.getuid?.())
    throw new Error(`${path} is not a directory of this user's own`);
  if ((stats.mode & 0o7777) !== mode) chmodSync(path, mode);
}

/** Listens; the socket appears under its name with its owner and mode already right, in place of a dead one. */
export async function listenOn(
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

/** Removes the socket if it is there. */
export function removeSocket(path: string): void {
  ignoreMissing(() => unlinkSync(path));
}

/** The id of a group of /etc/group, or undefined. */
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
