// Hears when somebody takes nftables objects away: one `nft monitor` that runs as long as coid.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface NftWatchOptions {
  /** Each line that tells of something deleted, such as `delete table inet x`. */
  readonly deleted: (line: string) => void;
  /** It listens (again): what happened before is not known. */
  readonly listening: () => void;
  readonly signal: AbortSignal;
}

const againMs = 2000;
const setpriv = '/usr/bin/setpriv';

/** Runs until the signal; starts again when the program ends. */
export function watchNft({ deleted, listening, signal }: NftWatchOptions): void {
  if (signal.aborted) return;
  const monitor = ['nft', 'monitor', 'destroy'];
  // If coid is killed, nobody reads what it says: then it has to go, too.
  const [program = '', ...args] = existsSync(setpriv)
    ? [setpriv, '--pdeathsig', 'KILL', ...monitor]
    : monitor;
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: '/usr/sbin:/sbin:/usr/bin:/bin', LC_ALL: 'C' },
  });
  const stop = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  child.once('spawn', listening);
  createInterface({ input: child.stdout }).on('line', deleted);
  let over = false;
  const again = () => {
    if (over) return;
    over = true;
    signal.removeEventListener('abort', stop);
    if (!signal.aborted)
      setTimeout(() => watchNft({ deleted, listening, signal }), againMs).unref();
  };
  child.once('error', again);
  child.once('close', again);
}
