// Finds a directory again that was moved: a mount of it goes on showing it, and the kernel says where it lies now.
// Source: proc_pid_mountinfo(5).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MountLine, mountLines, placeOn } from './tree-place.ts';

/**
 * Where the directories lie now that are mounted in `<all>/<id>`, as paths of the host, the likeliest first; never through
 * a mount below `all`, or one that shows other owners than the file system has. Nothing says that a path leads there:
 * whoever opens it has to look at what is open.
 */
export function placesOfMounts(all: string, id: string): string[] {
  return placesIn(readFileSync('/proc/self/mountinfo', 'latin1'), all, id);
}

/** The same from the text of /proc/<pid>/mountinfo, bytes as latin1. */
export function placesIn(mountinfo: string, all: string, id: string): string[] {
  const inside = `${Buffer.from(join(all, id)).toString('latin1')}/`;
  return places(mountinfo, all, ({ point }) => point.startsWith(inside));
}

/** The same of the mount at one point below `all`. */
export function placesOfMount(mountinfo: string, all: string, point: string): string[] {
  const bytes = Buffer.from(point).toString('latin1');
  return places(mountinfo, all, (line) => line.point === bytes);
}

function places(mountinfo: string, all: string, isMeant: (line: MountLine) => boolean): string[] {
  const top = `${Buffer.from(all).toString('latin1')}/`;
  const lines = mountLines(mountinfo);
  const inside = lines.filter(isMeant);
  const others = lines
    .filter(({ point, options }) => !point.startsWith(top) && !options.includes('idmapped'))
    .toSorted((one, other) => rank(other) - rank(one));
  const found = inside.flatMap((line) => others.flatMap((other) => throughOther(line, other)));
  return [...new Set(found)].map((path) => Buffer.from(path, 'latin1').toString('utf8'));
}

/** What can be written comes first, then what shows the least besides. */
function rank({ root, options }: MountLine): number {
  return (options.includes('ro') ? 0 : 10_000) + root.length;
}

function throughOther({ device, root }: MountLine, other: MountLine): string[] {
  if (other.device !== device) return [];
  // The other way round: what lies there in the file system, seen from where that is mounted.
  const place = placeOn({ device, root: other.point, point: other.root }, root);
  return place ? [place.path] : [];
}
