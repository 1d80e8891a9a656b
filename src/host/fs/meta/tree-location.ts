// The location of a directory within its file system, which is the same for every mount of it.
// Source: proc_pid_mountinfo(5), proc_pid_fdinfo(5).
import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { O_PATH } from '../../linux/constants.ts';
import { unescapedField } from '../../linux/mounts.ts';

export interface TreeLocation {
  /** The file system, as `major:minor`. */
  readonly device: string;
  /** The path from the root of the file system, without links. Bytes as latin1. */
  readonly path: string;
  /** The mount point through which it was reached. Bytes as latin1. */
  readonly mountPoint: string;
}

/** One line of /proc/<pid>/mountinfo, bytes as latin1. */
export interface MountLine {
  readonly device: string;
  readonly root: string;
  readonly point: string;
  /** Options of the mount. */
  readonly options: readonly string[];
}

/** Undefined if the kernel does not list it, for example after an unmount. */
export function treeLocation(fd: number): TreeLocation | undefined {
  const mountId = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  const line = mountLine(readFileSync('/proc/self/mountinfo', 'latin1'), mountId ?? '');
  return line && locationOn(line, readlinkSync(`/proc/self/fd/${fd}`, 'latin1'));
}

/** By path; undefined also if the path cannot be opened. */
export function treeLocationAt(path: string): TreeLocation | undefined {
  let fd: number;
  try {
    fd = openSync(path, O_PATH);
  } catch {
    return undefined;
  }
  try {
    return treeLocation(fd);
  } finally {
    closeSync(fd);
  }
}

/** The line of that mount in the text of /proc/<pid>/mountinfo. */
export function mountLine(mountinfo: string, mountId: string): MountLine | undefined {
  // Searched without splitting into lines: a busy host has thousands of mounts.
  const line = /^\d+$/.test(mountId) ? new RegExp(`^${mountId} .*$`, 'm').exec(mountinfo) : null;
  return line ? parseMountLine(line[0]) : undefined;
}

export function mountLines(mountinfo: string): MountLine[] {
  return mountinfo.split('\n').flatMap((line) => parseMountLine(line) ?? []);
}

function parseMountLine(line: string): MountLine | undefined {
  const [, , device, root, point, options] = line.split(' ');
  if (device === undefined || root === undefined || point === undefined) return undefined;
  return {
    device,
    root: unescapedField(root),
    point: unescapedField(point),
    options: options?.split(',') ?? [],
  };
}

/** The location of a path below that mount; undefined for a path outside. */
export function locationOn(
  { device, root, point }: Omit<MountLine, 'options'>,
  path: string,
): TreeLocation | undefined {
  const top = point === '/' ? '' : point;
  if (path !== point && !path.startsWith(`${top}/`)) return undefined;
  const inner = path.slice(top.length).replace(/^\/$/, '');
  return { device, path: `${root === '/' ? '' : root}${inner}` || '/', mountPoint: point };
}
