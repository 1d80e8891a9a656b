// Watches for deleted nftables objects: one `nft monitor` that runs as long as coid.
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { plainEnvironment, readProgram } from '../process/program.ts';

export interface NftWatchOptions {
  /** Called for each deletion, with a line such as `delete table inet x`. */
  readonly onDeleted: (line: string) => void;
  /** Called when it starts to listen, also again: earlier deletions may have been missed. */
  readonly onListening: () => void;
  readonly signal: AbortSignal;
}

const againMs = 2000;
const setpriv = '/usr/bin/setpriv';

/** Runs until the signal aborts; restarts the program when it ends. */
export function watchNft({
  onDeleted: deleted,
  onListening: listening,
  signal,
}: NftWatchOptions): void {
  if (signal.aborted) return;
  const monitor = ['nft', 'monitor', 'destroy'];
  // If coid is killed, nft must end too.
  const argv = existsSync(setpriv) ? [setpriv, '--pdeathsig', 'KILL', ...monitor] : monitor;
  const program = readProgram(argv, { env: plainEnvironment });
  // Not passed as the program's signal option: then every restart would leave a listener on coid's signal.
  signal.addEventListener('abort', program.kill, { once: true });
  void program.started.then(listening);
  createInterface({ input: program.stdout }).on('line', deleted);
  void program.ended.then(() => {
    signal.removeEventListener('abort', program.kill);
    if (!signal.aborted)
      setTimeout(
        () => watchNft({ onDeleted: deleted, onListening: listening, signal }),
        againMs,
      ).unref();
  });
}
