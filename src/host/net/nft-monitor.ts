// Hears when somebody takes nftables objects away: one `nft monitor` that runs as long as coid.
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { plainEnvironment, readProgram } from '../process/program.ts';

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
  const argv = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', ...monitor] : monitor;
  const program = readProgram(argv, { env: plainEnvironment });
  // Not as the program's own signal: coid's has a listener for each time that it is started, until it ends.
  signal.addEventListener('abort', program.kill, { once: true });
  void program.started.then(listening);
  createInterface({ input: program.stdout }).on('line', deleted);
  void program.ended.then(() => {
    signal.removeEventListener('abort', program.kill);
    if (!signal.aborted)
      setTimeout(() => watchNft({ deleted, listening, signal }), againMs).unref();
  });
}
