// The few system calls that Node does not expose, as coi calls them (bound by load-libc.ts).
import { getSystemErrorName } from 'node:util';

/** A failed system call; `code` is the errno's name, as in Node's errors. */
export class SystemCallError extends Error {
  readonly code: string;
  readonly syscall: string;

  constructor(syscall: string, errno: number, about = '') {
    const code = errno > 0 ? getSystemErrorName(-errno) : 'EUNKNOWN';
    super(`${code}: ${syscall}${about === '' ? '' : ` ${about}`}`);
    this.name = 'SystemCallError';
    this.code = code;
    this.syscall = syscall;
  }
}

/** An account from the host's name services. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
  readonly home: string;
}

/** All calls are synchronous; failures are SystemCallErrors. */
export interface Libc {
  openTree(fd: number, flags: number): number;
  mountSetattr(fd: number, attributes: Buffer): void;
  /** `target` is a path, or a descriptor of the directory to mount on. */
  moveMount(fd: number, target: string | number): void;
  umount2(path: string, flags: number): void;
  /** A new detached mount of a kernel file system, read through the descriptor. */
  newMount(type: string): { readonly fd: number; readonly close: () => void };
  /** openat2 with RESOLVE_ flags (<linux/openat2.h>), for an absolute path or one below an open directory. */
  openat2(path: string | Buffer, flags: number, resolve: number, directory?: number): number;
  /** Fills `value`; returns the length from the kernel. */
  getsockopt(fd: number, level: number, option: number, value: Buffer): number;
  fcntl(fd: number, command: number, argument: Buffer): number;
  /** The value of an extended attribute; undefined if it is not set. */
  getxattr(path: string, name: string): Buffer | undefined;
  setxattr(path: string, name: string, value: Buffer): void;
  /** Does nothing if it is not set. */
  removexattr(path: string, name: string): void;
  /** A fanotify(7) group with non-blocking reads. */
  fanotifyInit(flags: number, eventFlags: number): number;
  /** `path` may be below /proc/self/fd. */
  fanotifyMark(group: number, flags: number, mask: number, path: string): void;
  /** Sets the ids with which this thread (the only JavaScript thread) opens files. */
  setFileIds(ids: { uid: number; gid: number; groups: readonly number[] }): void;
  /** A child in new namespaces (`flags`) that only sleeps, without exec; it ends after `seconds`. */
  cloneSleeper(flags: number, seconds: number): number;
  waitpid(pid: number): void;
  /** Ends this process with all its threads immediately. */
  exit(status: number): void;
  /** Undefined if no name service knows the uid. */
  account(uid: number): Account | undefined;
  /** The groups that a login of that account gets. */
  groups(account: Account): number[];
}
