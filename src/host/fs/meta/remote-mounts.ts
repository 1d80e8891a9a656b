// Mounts that another machine or a program serves (NFS, sshfs). Access to one may block forever and cannot be interrupted,
// so a path is resolved without touching them.
// Source: proc_pid_mountinfo(5).
import { readFileSync, readlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { innermost, mountPoints } from '../../linux/mounts.ts';

export interface RemoteMount {
  /** The file system, as `major:minor`. */
  readonly device: string;
  readonly point: string;
  readonly type: string;
}

interface MountEntry extends RemoteMount {
  readonly isRemote: boolean;
}

/** Local data, and lxcfs, without which no container works. Any other type may be remote (autofs may mount one). */
const localTypes: ReadonlySet<string> = new Set(
  `bcachefs bdev binfmt_misc bpf btrfs cgroup cgroup2 configfs cpuset debugfs devpts devtmpfs efivarfs erofs exfat ext2
   ext3 ext4 f2fs fuse.lxcfs fusectl hfsplus hugetlbfs iso9660 jfs mqueue msdos nilfs2 nsfs ntfs3 overlay proc pstore ramfs
   reiserfs resctrl rootfs rpc_pipefs securityfs selinuxfs squashfs sysfs tmpfs tracefs ubifs udf vfat xfs zfs`.split(
    /\s+/,
  ),
);
/** The kernel's limit for one path. */
const linksMax = 40;

export class MountTable {
  readonly #all: readonly MountEntry[];
  readonly #hasRemote: boolean;

  constructor(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')) {
    this.#all = mountinfo.split('\n').flatMap((line) => parseLine(line) ?? []);
    this.#hasRemote = this.#all.some(({ isRemote }) => isRemote);
  }

  /** All remote mounts except autofs, which only waits to mount another. */
  get remoteMounts(): readonly RemoteMount[] {
    return this.#all.filter(({ isRemote, type }) => isRemote && type !== 'autofs');
  }

  /** The mounts of a file system. */
  mountsOf(device: string): readonly RemoteMount[] {
    return this.#all.filter((one) => one.device === device);
  }

  has(device: string): boolean {
    return this.#all.some((one) => one.device === device);
  }

  /** The remote mounts on the way of an absolute path. Links in local directories are followed; remote ones are not accessed. */
  remoteMountsOn(path: string): readonly RemoteMount[] {
    if (!this.#hasRemote) return [];
    const rest = path.split('/');
    let at = '/';
    let links = 0;
    for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        at = dirname(at);
        continue;
      }
      const next = at === '/' ? `/${name}` : `${at}/${name}`;
      const over = innermost(this.#all, next);
      // Not accessed any further; by name, the rest may pass through more mounts.
      if (over?.isRemote) return this.#through(next, rest);
      const target = linkTarget(next);
      if (target === undefined) {
        at = next;
        continue;
      }
      links += 1;
      if (links > linksMax) return [];
      if (target.startsWith('/')) at = '/';
      rest.unshift(...target.split('/'));
    }
    return [];
  }

  #through(at: string, rest: readonly string[]): readonly RemoteMount[] {
    const points = [at];
    for (const name of rest.filter((one) => one !== '')) points.push(`${points.at(-1)}/${name}`);
    const found = points.flatMap((point) => innermost(this.#all, point) ?? []);
    return [...new Set(found)].filter(({ isRemote }) => isRemote);
  }
}

/** st_dev in the notation of the mount table (makedev(3)). */
export function formatDevice(device: number): string {
  const wide = BigInt(device);
  const major = ((wide >> 8n) & 0xfffn) | ((wide >> 32n) & 0xfffff000n);
  const minor = (wide & 0xffn) | ((wide >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

function parseLine(line: string): MountEntry | undefined {
  const device = line.split(' ', 3)[2];
  const [point] = mountPoints(line);
  const type = line.split(' - ')[1]?.split(' ', 1)[0];
  if (device === undefined || point === undefined || type === undefined) return undefined;
  return { device, point, type, isRemote: !localTypes.has(type) };
}

/** Undefined if it is not a link or does not exist. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
