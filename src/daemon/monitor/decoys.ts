// Decoy credentials in watched sessions' homes ([monitoring] bait): no program has a reason to open them.
import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { agentIds, agentUser } from '../../guest-user.ts';
import { FileWatch, openInRoot } from '../../host/fs/meta/fanotify.ts';
import type { Libc } from '../../host/linux/libc.ts';
import { type BoundedReads, blockedRead, type ProcReader } from '../../host/proc/bounded-read.ts';
import type { Incus } from '../../incus/client.ts';
import type { Touch } from '../../monitor/sample.ts';

export interface DecoyParts {
  readonly incus: Incus;
  readonly libc: Pick<Libc, 'fanotifyInit' | 'fanotifyMark' | 'openat2'>;
  readonly reads: Pick<BoundedReads, 'forContainer'>;
  readonly signal: AbortSignal;
}

const { home } = agentUser;
/** Content by path. No program opens these names by default. */
const decoyFiles: Readonly<Record<string, () => string>> = {
  [`${home}/.aws/credentials.bak`]: () =>
    `[default]\naws_access_key_id = AKIA${code(16)}\naws_secret_access_key = ${secret(30)}\n`,
  [`${home}/.ssh/id_ed25519_deploy`]: () =>
    `-----BEGIN OPENSSH PRIVATE KEY-----\n${secret(250)}\n-----END OPENSSH PRIVATE KEY-----\n`,
  [`${home}/.config/passwords.txt`]: () => `admin ${secret(12)}\nbackup ${secret(12)}\n`,
};

export class Decoys {
  readonly #parts: DecoyParts;
  readonly #watch: FileWatch;
  /** Unreported touches by container. */
  readonly #touches = new Map<string, Touch[]>();

  constructor(parts: DecoyParts) {
    this.#parts = parts;
    this.#watch = new FileWatch(parts.libc);
    parts.signal.addEventListener('abort', () => this.#watch.close());
  }

  /** Creates missing decoys in a running container and watches all of them. Throws IncusError. */
  async plant(container: string, initPid: number): Promise<void> {
    const { incus, reads, signal } = this.#parts;
    const reader = reads.forContainer();
    this.#watch.forget((tag) => tag.startsWith(`${container} `));
    for (const [path, content] of Object.entries(decoyFiles)) {
      const known = this.#open(reader, initPid, path);
      if (known === undefined) {
        const parent = path.slice(0, path.lastIndexOf('/'));
        const directory = this.#open(reader, initPid, parent);
        if (directory === undefined)
          await incus.makeDirectory(container, parent, { ...agentIds, mode: 0o700, signal });
        else closeSync(directory);
        const bytes = Buffer.from(content());
        await incus.writeFile(container, path, bytes, { ...agentIds, mode: 0o600, signal });
      }
      const fd = known ?? this.#open(reader, initPid, path);
      if (fd === undefined) continue;
      try {
        this.#watch.add(fd, `${container} ${path}`);
      } finally {
        closeSync(fd);
      }
    }
  }

  #open(reader: ProcReader, initPid: number, path: string): number | undefined {
    // If reading its links blocks, opening would block as well.
    if (reader.links([`/proc/${initPid}/root`]) === blockedRead)
      throw new Error('the container blocks access to its files');
    return openInRoot(this.#parts.libc, initPid, path);
  }

  /** Touches since the last call for that container. */
  touches(container: string): readonly Touch[] {
    for (const { tag, pid, program, written } of this.#watch.drain()) {
      const [name = '', path = ''] = tag.split(' ');
      const known = this.#touches.get(name) ?? [];
      this.#touches.set(name, [...known, { path, kind: 'bait', written, pid, program }]);
    }
    const touches = this.#touches.get(container) ?? [];
    this.#touches.delete(container);
    return touches;
  }
}

function secret(bytes: number): string {
  return randomBytes(bytes).toString('base64');
}

function code(length: number): string {
  return randomBytes(length).toString('hex').toUpperCase().slice(0, length);
}
