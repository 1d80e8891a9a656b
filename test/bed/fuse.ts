// A FUSE file system for a test: like sshfs, gocryptfs and bindfs it cannot be idmapped.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newPrefix } from './prefix.ts';

export interface FuseOptions {
  /** Owner of its root directory. */
  readonly uid: number;
  readonly gid: number;
  /** The mounting user (default root): without `allow_other` only they have access. */
  readonly mounter?: number;
  readonly options?: readonly string[];
}

export interface Fuse extends AsyncDisposable {
  /** Kills its server; it stays mounted. */
  kill(): Promise<void>;
  /** Stops answering, like a network server that is gone. */
  suspend(): void;
  /** Answers again. */
  resume(): void;
}

/** Type in the mount table. */
export const fuseType = 'fuse.coitest';
const usual = ['allow_other', 'default_permissions'];

/** Mounts it on an existing directory; `await using` unmounts it. */
export async function makeFuse(
  path: string,
  { uid, gid, mounter = 0, options = usual }: FuseOptions,
): Promise<Fuse> {
  const program = fileURLToPath(new URL('./fuse-server.ts', import.meta.url));
  const suspendFile = join(tmpdir(), `${newPrefix()}fuse`);
  const args = [path, fuseType, uid, gid, mounter, suspendFile, ...options].map(String);
  const server = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'exit');
  const [greeting] = await Promise.race([once(server.stdout, 'data'), ended]);
  if (String(greeting) !== 'ready\n') throw new Error(`no FUSE file system at ${path}`);
  return {
    kill: async () => {
      server.kill('SIGKILL');
      await ended;
    },
    suspend: () => {
      writeFileSync(suspendFile, '');
      // Its request wakes the server, which stops after it has answered this or another one.
      const waker = spawn('stat', ['-f', path], { stdio: 'ignore', uid: mounter });
      const isOver = /^State:\s*[TZX]/m;
      while (!isOver.test(readFileSync(`/proc/${server.pid}/status`, 'utf8')));
      waker.kill('SIGKILL');
    },
    resume: () => {
      rmSync(suspendFile);
      server.kill('SIGCONT');
    },
    [Symbol.asyncDispose]: async () => {
      spawnSync('umount', ['-l', path]);
      // Open files would keep the server running.
      server.kill('SIGKILL');
      rmSync(suspendFile, { force: true });
      await ended;
    },
  };
}
