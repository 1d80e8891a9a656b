// Reports which process opens or writes watched files, by inode, from any container or namespace. Source: fanotify(7).
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import {
  O_CLOEXEC,
  O_PATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from '../../linux/constants.ts';
import type { Libc } from '../../linux/libc.ts';
import { readText } from '../../linux/proc-file.ts';

export interface FileEvent {
  readonly tag: string;
  /** The pid on the host. */
  readonly pid: number;
  /** Empty if the process has ended. */
  readonly program: string;
  readonly written: boolean;
}

const FAN_CLOEXEC = 1;
const FAN_NONBLOCK = 2;
const FAN_MARK_ADD = 1;
const FAN_MODIFY = 2;
const FAN_OPEN = 0x20;
/** struct fanotify_event_metadata. */
const eventBytes = 24;
const bufferBytes = 4096;
const eventsMax = 1000;

export class FileWatch {
  readonly #libc: Pick<Libc, 'fanotifyInit' | 'fanotifyMark'>;
  #group: number | undefined;
  /** Keyed by device and inode. */
  readonly #tags = new Map<string, string>();

  constructor(libc: Pick<Libc, 'fanotifyInit' | 'fanotifyMark'>) {
    this.#libc = libc;
  }

  /** Watches the file behind a descriptor (O_PATH is enough) until it is gone. Throws SystemCallError. */
  add(fd: number, tag: string): void {
    this.#group ??= this.#libc.fanotifyInit(
      FAN_CLOEXEC | FAN_NONBLOCK,
      constants.O_RDONLY | O_CLOEXEC,
    );
    this.#libc.fanotifyMark(
      this.#group,
      FAN_MARK_ADD,
      FAN_OPEN | FAN_MODIFY,
      `/proc/self/fd/${fd}`,
    );
    this.#tags.set(keyOf(fd), tag);
  }

  /** Drops the tags for which `isGone` is true. */
  forget(isGone: (tag: string) => boolean): void {
    for (const [key, tag] of this.#tags) if (isGone(tag)) this.#tags.delete(key);
  }

  /** Events since the last call. */
  drain(): FileEvent[] {
    const events: FileEvent[] = [];
    const buffer = Buffer.alloc(bufferBytes);
    while (this.#group !== undefined && events.length < eventsMax) {
      const length = readAvailable(this.#group, buffer);
      if (length === 0) break;
      for (let at = 0; at + eventBytes <= length; at += buffer.readUInt32LE(at)) {
        const fd = buffer.readInt32LE(at + 16);
        const pid = buffer.readInt32LE(at + 20);
        const tag = fd < 0 ? undefined : this.#tags.get(keyOf(fd));
        if (fd >= 0) closeSync(fd);
        if (tag === undefined || pid === process.pid) continue;
        const written = (buffer.readUInt32LE(at + 8) & FAN_MODIFY) !== 0;
        events.push({ tag, pid, program: readText(`/proc/${pid}/comm`)?.trim() ?? '', written });
      }
    }
    return events;
  }

  close(): void {
    if (this.#group !== undefined) closeSync(this.#group);
    this.#group = undefined;
  }
}

/** 0 if there is nothing to read. */
function readAvailable(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}

function keyOf(fd: number): string {
  const { dev, ino } = fstatSync(fd);
  return `${dev}:${ino}`;
}

/** A descriptor (O_PATH) of a file below the root of a process, without following links; undefined if there is none. */
export function openInRoot(
  libc: Pick<Libc, 'openat2'>,
  pid: number,
  path: string,
): number | undefined {
  const root = openSync(`/proc/${pid}/root`, O_PATH);
  try {
    // Unlike `openBelow`: the path is absolute inside the container.
    const resolve = RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_IN_ROOT;
    return libc.openat2(path, O_PATH | constants.O_NOFOLLOW, resolve, root);
  } catch {
    return undefined;
  } finally {
    closeSync(root);
  }
}
