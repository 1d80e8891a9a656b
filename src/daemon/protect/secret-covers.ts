// Covers entries of a workspace's mount with an empty file or directory ([security] secret_paths). The cover is a
// submount of a recursive mount and therefore locked: root in the container cannot unmount it, not even after a detach.
import { closeSync, fstatSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CoiError } from '../../errors.ts';
import type { Beneath } from '../../host/fs/beneath.ts';
import { O_PATH } from '../../host/linux/constants.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { bindMount } from '../../host/linux/mounts.ts';
import { quoted } from '../../names.ts';

export class SecretCovers {
  readonly #libc: Libc;
  readonly #directory: string;

  constructor(libc: Libc, runDir: string) {
    this.#libc = libc;
    this.#directory = join(runDir, 'empty');
  }

  /** Does nothing if the path does not exist. Throws `unprotected-path` if it is neither file nor directory. */
  put(shown: Beneath, path: string, namespace: number): void {
    shown.with(path, (target) => {
      const stats = fstatSync(target);
      if (!stats.isFile() && !stats.isDirectory())
        throw new CoiError('unprotected-path', `${quoted(path)} cannot be hidden`, {
          hint: 'It has just changed; try again.',
        });
      const source = openSync(this.#empty(stats.isFile() ? 'file' : 'directory'), O_PATH);
      try {
        bindMount(this.#libc, { source, target, readonly: true, namespace });
      } finally {
        closeSync(source);
      }
    });
  }

  /** One for all sessions, because it is read-only. */
  #empty(kind: 'file' | 'directory'): string {
    mkdirSync(join(this.#directory, 'directory'), { recursive: true, mode: 0o755 });
    if (kind === 'file') writeFileSync(join(this.#directory, kind), '', { mode: 0o444 });
    return join(this.#directory, kind);
  }
}
