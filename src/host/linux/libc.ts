// The C library through koffi, for the few system calls that Node has no word for. coid loads it, and a coi that locks.
import { closeSync } from 'node:fs';
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

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
/** With MOVE_MOUNT_T_EMPTY_PATH: the target is a descriptor as well. */
const MOVE_MOUNT_BOTH_EMPTY = 0x44;
const SIGCHLD = 17;
const stackBytes = 65_536;
const groupsMax = 1024;
const xattrBytesMax = 65_536;
/** The new calls have one number on all architectures (<asm-generic/unistd.h>); setgroups is old. */
const numbers = {
  openTree: 428,
  moveMount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  openat2: 437,
  mountSetattr: 442,
};
const FSCONFIG_CMD_CREATE = 6;
/** Of fsopen and fsmount. */
const CLOEXEC = 1;
const setgroupsNumbers: Readonly<Record<string, number>> = { x64: 116, arm64: 159 };

/** Loads koffi (about 25 ms) and binds the functions. */
export async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  const c = koffi.load(null);
  const check = (name: string, result: number, about?: string): number => {
    if (result < 0) throw new SystemCallError(name, koffi.errno(), about);
    return Number(result);
  };
  const openTree = c.func('long syscall(long n, int fd, const char *path, uint32 flags)');
  const setattr = c.func(
    'long syscall(long n, int fd, const char *path, uint32 flags, void *attr, size_t size)',
  );
  const moveMount = c.func(
    'long syscall(long n, int from, const char *a, int to, const char *b, uint32 flags)',
  );
  const openat2 = c.func('long syscall(long n, int fd, const char *path, void *how, size_t size)');
  const setgroups = c.func('long syscall(long n, size_t count, void *list)');
  const umount2 = c.func('int umount2(const char *path, int flags)');
  const getsockopt = c.func(
    'int getsockopt(int fd, int level, int option, void *value, void *length)',
  );
  const fcntl = c.func('int fcntl(int fd, int command, void *argument)');
  const attributes = xattrs(c, check);
  const watching = fanotify(c, check);
  const mountOf = freshMount(c, check);
  const waitpid = c.func('int waitpid(int pid, void *status, int options)');
  const setfsuid = c.func('int setfsuid(uint32 uid)');
  const setfsgid = c.func('int setfsgid(uint32 gid)');
  const cloneSleeper = sleeper(koffi, c);
  const accounts = directory(koffi, c);
  return {
    openTree: (fd, flags) =>
      check('open_tree', openTree(numbers.openTree, fd, '', flags | AT_EMPTY_PATH)),
    mountSetattr: (fd, attributes) => {
      check(
        'mount_setattr',
        setattr(numbers.mountSetattr, fd, '', AT_EMPTY_PATH, attributes, attributes.length),
      );
    },
    moveMount: (fd, target) => {
      const onto = typeof target === 'string' ? MOVE_MOUNT_F_EMPTY_PATH : MOVE_MOUNT_BOTH_EMPTY;
      const [directory, path] = typeof target === 'string' ? [AT_FDCWD, target] : [target, ''];
      check(
        'move_mount',
        moveMount(numbers.moveMount, fd, '', directory, path, onto),
        String(target),
      );
    },
    umount2: (path, flags) => void check('umount2', umount2(path, flags), path),
    openat2: (path, flags, resolve, directory = AT_FDCWD) => {
      const how = Buffer.alloc(24);
      how.writeBigUInt64LE(BigInt(flags), 0);
      how.writeBigUInt64LE(BigInt(resolve), 16);
      // A name of other bytes than text.
      const given = typeof path === 'string' ? path : Buffer.concat([path, Buffer.alloc(1)]);
      const fd = openat2(numbers.openat2, directory, given, how, how.length);
      return check('openat2', fd, String(path));
    },
    mountOf,
    getsockopt: (fd, level, option, value) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(value.length);
      check('getsockopt', getsockopt(fd, level, option, value, length));
      return length.readUInt32LE();
    },
    fcntl: (fd, command, argument) => check('fcntl', fcntl(fd, command, argument)),
    setFileIds: ({ uid, gid, groups }) => {
      const list = Buffer.alloc(4 * groups.length);
      groups.forEach((group, index) => void list.writeUInt32LE(group, 4 * index));
      const number = setgroupsNumbers[process.arch];
      if (number === undefined) throw new SystemCallError('setgroups', 0, `on ${process.arch}`);
      // Root's file uid is set last and given up last: the groups may be changed only with its capabilities.
      setfsuid(0);
      check('setgroups', setgroups(number, groups.length, list));
      setfsgid(gid);
      setfsuid(uid);
      if (setfsuid(0xffffffff) !== uid || setfsgid(0xffffffff) !== gid)
        throw new SystemCallError('setfsuid', 1);
    },
    cloneSleeper: (flags, seconds) => check('clone', cloneSleeper(flags, seconds)),
    exit: c.func('void _exit(int status)'),
    waitpid: (pid) => void check('waitpid', waitpid(pid, null, 0)),
    ...attributes,
    ...watching,
    ...accounts,
  };
}

type Koffi = typeof import('koffi')['default'];
type Library = ReturnType<Koffi['load']>;

function freshMount(
  c: Library,
  check: (name: string, result: number, about?: string) => number,
): Libc['mountOf'] {
  const fsopen = c.func('long syscall(long n, const char *type, uint32 flags)');
  const fsconfig = c.func(
    'long syscall(long n, int fd, uint32 command, const char *key, const char *value, int more)',
  );
  const fsmount = c.func('long syscall(long n, int fd, uint32 flags, uint32 attributes)');
  return (type) => {
    const context = check('fsopen', fsopen(numbers.fsopen, type, CLOEXEC), type);
    try {
      check(
        'fsconfig',
        fsconfig(numbers.fsconfig, context, FSCONFIG_CMD_CREATE, null, null, 0),
        type,
      );
      const fd = check('fsmount', fsmount(numbers.fsmount, context, CLOEXEC, 0), type);
      return { fd, close: () => closeSync(fd) };
    } finally {
      closeSync(context);
    }
  };
}

function fanotify(
  c: Library,
  check: (name: string, result: number, about?: string) => number,
): Pick<Libc, 'fanotifyInit' | 'fanotifyMark'> {
  const init = c.func('int fanotify_init(uint32 flags, uint32 event_flags)');
  const mark = c.func(
    'int fanotify_mark(int fd, uint32 flags, uint64 mask, int dirfd, const char *path)',
  );
  return {
    fanotifyInit: (flags, eventFlags) => check('fanotify_init', init(flags, eventFlags)),
    fanotifyMark: (group, flags, mask, path) =>
      void check('fanotify_mark', mark(group, flags, mask, AT_FDCWD, path), path),
  };
}

function xattrs(
  c: Library,
  check: (name: string, result: number, about?: string) => number,
): Pick<Libc, 'getxattr' | 'setxattr' | 'removexattr'> {
  const get = c.func('long getxattr(const char *path, const char *name, void *value, size_t n)');
  const set = c.func(
    'int setxattr(const char *path, const char *name, const void *value, size_t n, int flags)',
  );
  const remove = c.func('int removexattr(const char *path, const char *name)');
  const absent = (error: unknown) =>
    error instanceof SystemCallError && ['ENODATA', 'EOPNOTSUPP', 'ENOTSUP'].includes(error.code);
  return {
    getxattr: (path, name) => {
      const value = Buffer.alloc(xattrBytesMax);
      try {
        const length = check('getxattr', Number(get(path, name, value, value.length)), path);
        return value.subarray(0, length);
      } catch (error) {
        if (absent(error)) return undefined;
        throw error;
      }
    },
    setxattr: (path, name, value) =>
      void check('setxattr', set(path, name, value, value.length, 0), path),
    removexattr: (path, name) => {
      try {
        check('removexattr', remove(path, name), path);
      } catch (error) {
        if (!absent(error)) throw error;
      }
    },
  };
}

function sleeper(koffi: Koffi, c: Library): (flags: number, seconds: number) => number {
  const dlsym = c.func('void *dlsym(void *handle, const char *name)');
  const mmap = c.func(
    'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64 offset)',
  );
  const clone = c.func('int clone(void *function, void *stack, int flags, size_t argument)');
  const sleep = dlsym(null, 'sleep');
  /** PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS|MAP_STACK. The child gets a copy, so one stack serves all. */
  const stack = koffi.address(mmap(null, stackBytes, 3, 0x20022, -1, 0)) + BigInt(stackBytes - 16);
  return (flags, seconds) => clone(sleep, stack, flags | SIGCHLD, seconds);
}

function directory(koffi: Koffi, c: Library): Pick<Libc, 'account' | 'groups'> {
  const getpwuid = c.func('void *getpwuid(uint32 uid)');
  const getgrouplist = c.func(
    'int getgrouplist(const char *name, uint32 gid, void *list, _Inout_ int *count)',
  );
  const passwd = koffi.struct({
    name: 'char *',
    password: 'char *',
    uid: 'uint32',
    gid: 'uint32',
    gecos: 'char *',
    home: 'char *',
    shell: 'char *',
  });
  return {
    account: (uid) => {
      const entry = getpwuid(uid);
      if (entry === null) return undefined;
      const { name, gid, home } = koffi.decode(entry, passwd);
      return { name, uid, gid, home: home ?? '/' };
    },
    groups: ({ name, gid }) => {
      const list = Buffer.alloc(4 * groupsMax);
      const count = [groupsMax];
      const result = getgrouplist(name, gid, list, count);
      if (result < 0) return [gid];
      return Array.from({ length: count[0] ?? 0 }, (_, index) => list.readUInt32LE(4 * index));
    },
  };
}
