// A FUSE file system of a test's own: one that cannot be idmapped, as those of sshfs, gocryptfs and bindfs.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface FuseOptions {
  /** Owner of its root. */
  readonly uid: number;
  readonly gid: number;
  /** The user who mounts it: without `allow_other` nobody else may look into it. Root where none is given. */
  readonly mounter?: number;
  readonly options?: readonly string[];
}

export interface Fuse extends AsyncDisposable {
  /** Ends its program; it stays mounted. */
  kill(): Promise<void>;
  /** Its program answers nothing any more, as a server of the network that is gone. */
  hold(): void;
  /** It answers again. */
  letGo(): void;
}

/** As the mount table shows it. */
export const fuseType = 'fuse.coitest';
const usual = ['allow_other', 'default_permissions'];

/** Mounts it on an existing directory; it ends with `await using`. */
export async function makeFuse(
  path: string,
  { uid, gid, mounter = 0, options = usual }: FuseOptions,
): Promise<Fuse> {
  const program = fileURLToPath(new URL('./fuse-server.ts', import.meta.url));
  const place = [path, fuseType, uid, gid, mounter, ...options].map(String);
  const server = spawn(process.execPath, [program, ...place], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'exit');
  const [said] = await Promise.race([once(server.stdout, 'data'), ended]);
  if (String(said) !== 'ready\n') throw new Error(`no FUSE file system at ${path}`);
  return {
    kill: async () => {
      server.kill('SIGKILL');
      await ended;
    },
    hold: () => {
      server.kill('SIGSTOP');
      // Until it stands still, or has ended, it may take a request, and who asked cannot be killed then.
      while (!/^State:\s*[TZX]/m.test(readFileSync(`/proc/${server.pid}/status`, 'utf8')));
    },
    letGo: () => void server.kill('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      spawnSync('umount', ['-l', path]);
      // Whoever still has it open holds the server.
      server.kill('SIGKILL');
      await ended;
    },
  };
}
