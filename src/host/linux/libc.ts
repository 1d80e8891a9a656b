// The few system calls that Node has no word for, as coi calls them (load-libc.ts binds them).
import { getSystemErrorName } from 'node:util';

/** A system call that failed: `code` is the errno's name, as in Node's own errors. */
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

/** An account as the host's directory services know it. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  /** The primary group. */
  readonly gid: number;
  readonly home: string;
}

/** What coid calls. All of it is synchronous; failures are SystemCallErrors. */
export interface Libc {
  openTree(fd: number, flags: number): number;
  mountSetattr(fd: number, attributes: Buffer): void;
  /** `target` is a path, or a descriptor of the directory to mount on. */
  moveMount(fd: number, target: string | number): void;
  umount2(path: string, flags: number): void;
  /** A new mount of a kernel's own file system that has no place in any namespace, read through the descriptor. */
  mountOf(type: string): { readonly fd: number; readonly close: () => void };
  /** openat2 with the RESOLVE_ flags of <linux/openat2.h>, of an absolute path or of one below an open directory. */
  openat2(path: string | Buffer, flags: number, resolve: number, directory?: number): number;
  /** Fills `value`; returns the length that the kernel gave. */
  getsockopt(fd: number, level: number, option: number, value: Buffer): number;
  fcntl(fd: number, command: number, argument: Buffer): number;
  /** Value of an extended attribute; undefined if there is none of that name. */
  getxattr(path: string, name: string): Buffer | undefined;
  setxattr(path: string, name: string, value: Buffer): void;
  /** Does nothing if there is none. */
  removexattr(path: string, name: string): void;
  /** A group of fanotify(7) whose reads do not wait. */
  fanotifyInit(flags: number, eventFlags: number): number;
  /** `path` may be one of /proc/self/fd. */
  fanotifyMark(group: number, flags: number, mask: number, path: string): void;
  /** The ids with which this thread (the only one of JavaScript) opens files from now on. */
  setFileIds(ids: { uid: number; gid: number; groups: readonly number[] }): void;
  /** A child in new namespaces (`flags`) that only sleeps and executes nothing; it ends by itself after `seconds`. */
  cloneSleeper(flags: number, seconds: number): number;
  waitpid(pid: number): void;
  /** Ends this process with all of its threads, and waits for none. */
  exit(status: number): void;
  /** undefined if no directory service knows the uid. */
  account(uid: number): Account | undefined;
  /** The groups of a login of that account. */
  groups(account: Account): number[];
}
