// The ids that coid gave root in /etc/subuid and /etc/subgid. They belong to the machine, so tests remove them.
import { closeSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { loadLibc } from '../../src/host/linux/load-libc.ts';

export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

const files = (ids: Ids) => [
  { path: '/etc/subuid', line: `root:${ids.uid}:1` },
  { path: '/etc/subgid', line: `root:${ids.gid}:1` },
];

/** Those of the two lines that exist. */
export function rootIds(ids: Ids): string[] {
  return files(ids).flatMap(({ path, line }) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((one) => one === line),
  );
}

/** Takes the lock of lckpwdf(3), as useradd and userdel of other tests do; usermod cannot remove ids from root. */
export async function removeRootIds(ids: Ids): Promise<void> {
  const libc = await loadLibc();
  const lock = openSync('/etc/.pwd.lock', 'w', 0o600);
  try {
    const writing = Buffer.alloc(32);
    writing.writeInt16LE(1, 0);
    const F_SETLKW = 7;
    libc.fcntl(lock, F_SETLKW, writing);
    for (const { path, line } of files(ids)) {
      const rest = readFileSync(path, 'utf8').split('\n');
      // Renamed, not rewritten: newuidmap of a container that starts reads the file without the lock.
      const next = `${path}.coit`;
      writeFileSync(next, rest.filter((one) => one !== line).join('\n'), { mode: 0o644 });
      renameSync(next, path);
    }
  } finally {
    closeSync(lock);
  }
}
