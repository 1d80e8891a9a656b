// Covers single entries of a workspace's mount with an empty file or directory ([security] secret_paths). As a mount in a
// mount that the container gets as a whole it is locked: its root cannot take it away, and it stays on what is detached.
import { closeSync, fstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoiError } from '../../errors.ts';
import type { Below } from '../../host/fs/beneath.ts';
import { O_PATH } from '../../host/linux/constants.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { bindMount } from '../../host/linux/mounts.ts';
import { quoted } from '../../names.ts';

/** O_PATH, which Node has no name for. */

export class Covers {
  readonly #libc: Libc;
  readonly #directory: string;

  constructor(libc: Libc, runDir: string) {
    this.#libc = libc;
    this.#directory = join(runDir, 'empty');
  }

  /** Does nothing where there is nothing. Throws `unprotected-path` for what is neither file nor directory. */
  put(shown: Below, path: string, namespace: number): void {
    shown.with(path, (target) => {
      const stats = fstatSync(target);
      if (!stats.isFile() && !stats.isDirectory())
        throw new CoiError('unprotected-path', `${quoted(path)} cannot be hidden`, {
          hint: 'It changed just now; try again.',
        });
      const source = openSync(this.#empty(stats.isFile() ? 'file' : 'directory'), O_PATH);
      try {
        bindMount(this.#libc, { source, target, readonly: true, namespace });
      } finally {
        closeSync(source);
      }
    });
  }

  /** The same one for all: nobody can write it. */
  #empty(kind: 'file' | 'directory'): string {
    mkdirSync(join(this.#directory, 'directory'), { recursive: true, mode: 0o755 });
    if (kind === 'file') writeFileSync(join(this.#directory, kind), '', { mode: 0o444 });
    return join(this.#directory, kind);
  }
}
