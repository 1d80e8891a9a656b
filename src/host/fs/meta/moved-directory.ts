// Finds a directory that was moved: its mount still shows it, and the kernel reports its current path.
// Source: proc_pid_mountinfo(5).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { locationOn, type MountLine, mountLines } from './tree-location.ts';

/**
 * Current host paths of the directories that are mounted below `<all>/<id>`, the likeliest first; never through a mount
 * below `all` or an idmapped one. A path is not guaranteed to lead there: the caller must check what it opened.
 */
export function pathsOfMounts(all: string, id: string): string[] {
  return pathsIn(readFileSync('/proc/self/mountinfo', 'latin1'), all, id);
}

/** Like `pathsOfMounts`, from the text of /proc/<pid>/mountinfo, bytes as latin1. */
export function pathsIn(mountinfo: string, all: string, id: string): string[] {
  const inside = `${Buffer.from(join(all, id)).toString('latin1')}/`;
  return currentPaths(mountinfo, all, ({ point }) => point.startsWith(inside));
}

/** Like `pathsIn`, for the mount at one point below `all`. */
export function pathsOfMount(mountinfo: string, all: string, point: string): string[] {
  const bytes = Buffer.from(point).toString('latin1');
  return currentPaths(mountinfo, all, (line) => line.point === bytes);
}

function currentPaths(
  mountinfo: string,
  all: string,
  matches: (line: MountLine) => boolean,
): string[] {
  const top = `${Buffer.from(all).toString('latin1')}/`;
  const lines = mountLines(mountinfo);
  const inside = lines.filter(matches);
  const others = lines
    .filter(({ point, options }) => !point.startsWith(top) && !options.includes('idmapped'))
    .toSorted((one, other) => rank(other) - rank(one));
  const found = inside.flatMap((line) => others.flatMap((other) => viaMount(line, other)));
  return [...new Set(found)].map((path) => Buffer.from(path, 'latin1').toString('utf8'));
}

/** Writable mounts rank first, then those of the smallest subtree. */
function rank({ root, options }: MountLine): number {
  return (options.includes('ro') ? 0 : 10_000) + root.length;
}

function viaMount({ device, root }: MountLine, other: MountLine): string[] {
  if (other.device !== device) return [];
  // Inverted: maps the path in the file system to the path below that mount.
  const place = locationOn({ device, root: other.point, point: other.root }, root);
  return place ? [place.path] : [];
}
