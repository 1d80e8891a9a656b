// Which mounts may keep whoever looks there waiting, for ever: what another machine or a program serves (NFS, sshfs). No call
// of the kernel there can be given up, so what a path leads to is found without touching any of them.
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

interface Mounted extends RemoteMount {
  readonly isRemote: boolean;
}

/** Their data is in this machine; and lxcfs, without which no container works at all. Every other one may be remote (autofs mounts one). */
const localTypes: ReadonlySet<string> = new Set(
  `bcachefs bdev binfmt_misc bpf btrfs cgroup cgroup2 configfs cpuset debugfs devpts devtmpfs efivarfs erofs exfat ext2
   ext3 ext4 f2fs fuse.lxcfs fusectl hfsplus hugetlbfs iso9660 jfs mqueue msdos nilfs2 nsfs ntfs3 overlay proc pstore ramfs
   reiserfs resctrl rootfs rpc_pipefs securityfs selinuxfs squashfs sysfs tmpfs tracefs ubifs udf vfat xfs zfs`.split(
    /\s+/,
  ),
);
/** As the kernel allows in one path. */
const linksMax = 40;

export class MountTable {
  readonly #all: readonly Mounted[];
  readonly #hasRemote: boolean;

  constructor(mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')) {
    this.#all = mountinfo.split('\n').flatMap((line) => parsed(line) ?? []);
    this.#hasRemote = this.#all.some(({ isRemote }) => isRemote);
  }

  /** All but those that only wait to mount another one. */
  get all(): readonly RemoteMount[] {
    return this.#all.filter(({ isRemote, type }) => isRemote && type !== 'autofs');
  }

  /** Where a file system is mounted. */
  of(device: string): readonly RemoteMount[] {
    return this.#all.filter((one) => one.device === device);
  }

  has(device: string): boolean {
    return this.#all.some((one) => one.device === device);
  }

  /** Those that an absolute path leads through, links of local directories followed; only these are looked at. */
  on(path: string): readonly RemoteMount[] {
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
      // What is in there is not looked at: by its names it may lead through further ones.
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

/** Of st_dev, as the mount table writes it (makedev(3)). */
export function deviceText(device: number): string {
  const wide = BigInt(device);
  const major = ((wide >> 8n) & 0xfffn) | ((wide >> 32n) & 0xfffff000n);
  const minor = (wide & 0xffn) | ((wide >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

function parsed(line: string): Mounted | undefined {
  const device = line.split(' ', 3)[2];
  const [point] = mountPoints(line);
  const type = line.split(' - ')[1]?.split(' ', 1)[0];
  if (device === undefined || point === undefined || type === undefined) return undefined;
  return { device, point, type, isRemote: !localTypes.has(type) };
}

/** Undefined where it is none, or not there. */
function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
