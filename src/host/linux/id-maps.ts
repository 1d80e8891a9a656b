// User namespaces that carry the id maps of idmapped mounts.
import { closeSync, openSync, writeFileSync } from 'node:fs';
import type { Libc } from './libc.ts';

/** The id `onDisk` appears as `shown`; every other id appears as itself. */
export interface IdSwap {
  readonly onDisk: number;
  readonly shown: number;
}

const CLONE_NEWUSER = 0x10000000;
/** The highest id plus one; 4294967295 means "no id". */
const idsEnd = 4_294_967_295;
const namespacesMax = 256;
/** If coid dies before it kills the child, the child ends after this time. */
const sleeperSeconds = 5;

/**
 * The text of uid_map or gid_map. The id `shown` on disk is left unmapped, since no two ids may appear the same. So are the
 * `unmapped` ids: their files can be read through the mount but changed by nobody.
 */
export function idMapText({ onDisk, shown }: IdSwap, unmapped: readonly number[] = []): string {
  const holes = [...new Set([...unmapped, ...(onDisk === shown ? [] : [onDisk, shown])])];
  const edges = [-1, ...holes.toSorted((one, other) => one - other), idsEnd];
  const same = edges.slice(1).flatMap((edge, index) => {
    const from = (edges[index] ?? 0) + 1;
    return from < edge ? [`${from} ${from} ${edge - from}`] : [];
  });
  const swapped = onDisk === shown ? [] : [`${onDisk} ${shown} 1`];
  return `${[...same, ...swapped].join('\n')}\n`;
}

/** Creates and caches namespaces: one costs about 2 ms, and all sessions of an owner and workspace share one. */
export class UserNamespaces implements Disposable {
  readonly #libc: Libc;
  readonly #kept = new Map<string, number>();

  constructor(libc: Libc) {
    this.#libc = libc;
  }

  /** A descriptor of the namespace with these maps, without the `unmapped` ids; it stays open at least until the next call. Throws SystemCallError or an errno error. */
  descriptor(uid: IdSwap, gid: IdSwap, unmapped: readonly number[] = []): number {
    const key = [uid.onDisk, uid.shown, gid.onDisk, gid.shown, ...unmapped].join(' ');
    const known = this.#kept.get(key);
    if (known !== undefined) {
      // Moved to the end, so that the first entry is the least recently used.
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known;
    }
    const fd = this.#make(idMapText(uid, unmapped), idMapText(gid, unmapped));
    this.#kept.set(key, fd);
    for (const [oldest, unused] of this.#kept) {
      if (this.#kept.size <= namespacesMax) break;
      this.#kept.delete(oldest);
      closeSync(unused);
    }
    return fd;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#kept.values()) closeSync(fd);
    this.#kept.clear();
  }

  #make(uidMap: string, gidMap: string): number {
    const pid = this.#libc.cloneSleeper(CLONE_NEWUSER, sleeperSeconds);
    try {
      writeFileSync(`/proc/${pid}/uid_map`, uidMap);
      writeFileSync(`/proc/${pid}/gid_map`, gidMap);
      return openSync(`/proc/${pid}/ns/user`, 'r');
    } finally {
      process.kill(pid, 'SIGKILL');
      this.#libc.waitpid(pid);
    }
  }
}
