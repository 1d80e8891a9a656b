// Where a directory lies in its file system, whichever mount leads to it: two mounts of one directory have one place.
// Source: proc_pid_mountinfo(5), proc_pid_fdinfo(5).
import { closeSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { O_PATH } from '../../linux/constants.ts';
import { unescapedField } from '../../linux/mounts.ts';

export interface TreePlace {
  /** The file system, as `major:minor`. */
  readonly device: string;
  /** Its path there, without links, from the root of the file system. Bytes as latin1. */
  readonly path: string;
  /** Where the mount that leads to it is mounted. Bytes as latin1. */
  readonly mountPoint: string;
}

/** Of /proc/<pid>/mountinfo, bytes as latin1. */
export interface MountLine {
  readonly device: string;
  readonly root: string;
  readonly point: string;
  /** Of the mount itself. */
  readonly options: readonly string[];
}

/** Undefined where the kernel does not say, as for a mount that was taken away. */
export function treePlace(fd: number): TreePlace | undefined {
  const mountId = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  const line = mountLine(readFileSync('/proc/self/mountinfo', 'latin1'), mountId ?? '');
  return line && placeOn(line, readlinkSync(`/proc/self/fd/${fd}`, 'latin1'));
}

/** Of what a path leads to; undefined also where it cannot be reached. */
export function treePlaceOf(path: string): TreePlace | undefined {
  let fd: number;
  try {
    fd = openSync(path, O_PATH);
  } catch {
    return undefined;
  }
  try {
    return treePlace(fd);
  } finally {
    closeSync(fd);
  }
}

/** The line of that mount in the text of /proc/<pid>/mountinfo. */
export function mountLine(mountinfo: string, mountId: string): MountLine | undefined {
  // Not line by line: a busy host has thousands of mounts.
  const line = /^\d+$/.test(mountId) ? new RegExp(`^${mountId} .*$`, 'm').exec(mountinfo) : null;
  return line ? parsed(line[0]) : undefined;
}

export function mountLines(mountinfo: string): MountLine[] {
  return mountinfo.split('\n').flatMap((line) => parsed(line) ?? []);
}

function parsed(line: string): MountLine | undefined {
  const [, , device, root, point, options] = line.split(' ');
  if (device === undefined || root === undefined || point === undefined) return undefined;
  return {
    device,
    root: unescapedField(root),
    point: unescapedField(point),
    options: options?.split(',') ?? [],
  };
}

/** Of a path that leads through that mount. */
export function placeOn(
  { device, root, point }: Omit<MountLine, 'options'>,
  path: string,
): TreePlace | undefined {
  const top = point === '/' ? '' : point;
  if (path !== point && !path.startsWith(`${top}/`)) return undefined;
  const inner = path.slice(top.length).replace(/^\/$/, '');
  return { device, path: `${root === '/' ? '' : root}${inner}` || '/', mountPoint: point };
}
