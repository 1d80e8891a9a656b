// Binds the C library with koffi, for coid and for a coi that takes locks.
import { AT_FDCWD } from './constants.ts';
import { type Libc, SystemCallError } from './libc.ts';
import {
  bindAccounts,
  bindFanotify,
  bindNewMount,
  bindSleeper,
  bindXattrs,
  type Check,
} from './libc-groups.ts';

const AT_EMPTY_PATH = 0x1000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
/** With MOVE_MOUNT_T_EMPTY_PATH: the target is a descriptor as well. */
const MOVE_MOUNT_BOTH_EMPTY = 0x44;
/** New system calls have the same number on all architectures (<asm-generic/unistd.h>); setgroups is older. */
const numbers = {
  openTree: 428,
  moveMount: 429,
  openat2: 437,
  mountSetattr: 442,
};
const setgroupsNumbers: Readonly<Record<string, number>> = { x64: 116, arm64: 159 };

/** Loads koffi (about 25 ms) and binds the functions. */
export async function loadLibc(): Promise<Libc> {
  const { default: koffi } = await import('koffi');
  const c = koffi.load(null);
  const check: Check = (name, result, about) => {
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
  const attributes = bindXattrs(c, check);
  const watching = bindFanotify(c, check);
  const newMount = bindNewMount(c, check);
  const waitpid = c.func('int waitpid(int pid, void *status, int options)');
  const setfsuid = c.func('int setfsuid(uint32 uid)');
  const setfsgid = c.func('int setfsgid(uint32 gid)');
  const cloneSleeper = bindSleeper(koffi, c);
  const known = bindAccounts(koffi, c);
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
      // A name that is not UTF-8.
      const given = typeof path === 'string' ? path : Buffer.concat([path, Buffer.alloc(1)]);
      const fd = openat2(numbers.openat2, directory, given, how, how.length);
      return check('openat2', fd, String(path));
    },
    newMount: newMount,
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
      // The file uid becomes root's first and another one last: changing groups needs root's capabilities.
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
    ...known,
  };
}
