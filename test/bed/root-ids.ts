// The ids that coid gave root in /etc/subuid and /etc/subgid: the machine's, so tests take them away again.
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { loadLibc } from '../../src/host/linux/load-libc.ts';

export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

const files = (ids: Ids) => [
  { path: '/etc/subuid', line: `root:${ids.uid}:1` },
  { path: '/etc/subgid', line: `root:${ids.gid}:1` },
];

/** Those of the two lines that are there. */
export function idsOfRoot(ids: Ids): string[] {
  return files(ids).flatMap(({ path, line }) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((one) => one === line),
  );
}

/** Under the lock of lckpwdf(3), which useradd and userdel of other tests take; usermod takes nothing away from root. */
export async function removeIdsOfRoot(ids: Ids): Promise<void> {
  const libc = await loadLibc();
  const lock = openSync('/etc/.pwd.lock', 'w', 0o600);
  try {
    const writing = Buffer.alloc(32);
    writing.writeInt16LE(1, 0);
    const F_SETLKW = 7;
    libc.fcntl(lock, F_SETLKW, writing);
    for (const { path, line } of files(ids)) {
      const rest = readFileSync(path, 'utf8').split('\n');
      writeFileSync(path, rest.filter((one) => one !== line).join('\n'));
    }
  } finally {
    closeSync(lock);
  }
}
