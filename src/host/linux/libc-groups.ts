// Groups of C library calls, bound by load-libc.ts.
import { closeSync } from 'node:fs';
import { AT_FDCWD } from './constants.ts';
import { type Libc, SystemCallError } from './libc.ts';

/** Returns the result of a call; throws SystemCallError if it failed. */
export type Check = (name: string, result: number, about?: string) => number;

/** System call numbers of fsopen, fsconfig and fsmount on all architectures (<asm-generic/unistd.h>). */
const numbers = { open: 430, configure: 431, mount: 432 };
const FSCONFIG_CMD_CREATE = 6;
/** FSOPEN_CLOEXEC and FSMOUNT_CLOEXEC. */
const CLOEXEC = 1;
const SIGCHLD = 17;
const stackBytes = 65_536;
const groupsMax = 1024;
const xattrBytesMax = 65_536;

type Koffi = typeof import('koffi')['default'];
type Library = ReturnType<Koffi['load']>;

export function bindNewMount(c: Library, check: Check): Libc['newMount'] {
  const fsopen = c.func('long syscall(long n, const char *type, uint32 flags)');
  const fsconfig = c.func(
    'long syscall(long n, int fd, uint32 command, const char *key, const char *value, int more)',
  );
  const fsmount = c.func('long syscall(long n, int fd, uint32 flags, uint32 attributes)');
  return (type) => {
    const context = check('fsopen', fsopen(numbers.open, type, CLOEXEC), type);
    try {
      check(
        'fsconfig',
        fsconfig(numbers.configure, context, FSCONFIG_CMD_CREATE, null, null, 0),
        type,
      );
      const fd = check('fsmount', fsmount(numbers.mount, context, CLOEXEC, 0), type);
      return { fd, close: () => closeSync(fd) };
    } finally {
      closeSync(context);
    }
  };
}

export function bindFanotify(
  c: Library,
  check: Check,
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

export function bindXattrs(
  c: Library,
  check: Check,
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

export function bindSleeper(koffi: Koffi, c: Library): (flags: number, seconds: number) => number {
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

export function bindAccounts(koffi: Koffi, c: Library): Pick<Libc, 'account' | 'groups'> {
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
