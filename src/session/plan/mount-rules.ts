// What of the host may be mounted into a container, by its path without links. Pure; coi asks early, coid decides.

/** Where the host keeps what no container may see. All without links. */
export interface SensitivePaths {
  /** Home directories of people, root's among them. */
  readonly homes: readonly string[];
  /** coid's own directories. */
  readonly runDir: string;
  readonly stateDir: string;
}

export interface MountWish {
  /** With every link resolved. */
  readonly path: string;
  readonly readonly: boolean;
  /** Who asks. */
  readonly uid: number;
  /** Whose part of the store may be mounted. */
  readonly session: string;
}

/** Kernel interfaces, and directories of daemons that would hand over the host; neither for reading. */
const closed = [
  '/proc',
  '/sys',
  '/dev',
  '/run/coi',
  '/var/lib/coi',
  '/var/lib/incus',
  '/run/incus',
  '/var/lib/docker',
  '/run/docker.sock',
];
/** What the host's own programs are made of and configured by: not for writing. */
const system = [
  '/etc',
  '/boot',
  '/efi',
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/var/lib/dpkg',
  '/var/lib/systemd',
  '/var/spool',
  '/var/log',
  '/run',
];
/** Shared by everything on the host; a directory inside is fine. */
const shared = [
  '/tmp',
  '/var/tmp',
  '/home',
  '/opt',
  '/srv',
  '/mnt',
  '/media',
  '/var',
  '/var/lib',
  '/var/cache',
];

/** Why that must not be mounted: the end of a sentence that begins with the path. Undefined if it may. */
export function mountRefusal(
  { path, readonly, uid, session }: MountWish,
  { homes, runDir, stateDir }: SensitivePaths,
): string | undefined {
  if (path === '/') return 'is the root of this host';
  if (homes.includes(path))
    return 'is a home directory: everything in it, keys and logins too, would be open to the agent';
  const home = homes.find((candidate) => isInside(candidate, path));
  if (home !== undefined) return `holds a home directory (${home})`;
  const within = [...closed, runDir, stateDir].find(
    (place) => path === place || isInside(path, place),
  );
  if (within !== undefined)
    return `belongs to ${within}, through which the host could be taken over`;
  const around = [...closed, runDir, stateDir].find((place) => isInside(place, path));
  if (around !== undefined) return `holds ${around}, through which the host could be taken over`;
  if (isStore(path) && !isOwnStore(path, session))
    return "belongs to coi's own files and the sessions stored in them";
  if (shared.includes(path) && !readonly)
    return 'is shared by the whole host; use a directory inside it';
  const place = system.find((candidate) => path === candidate || isInside(path, candidate));
  if (place !== undefined && !readonly) return `belongs to the system (${place})`;
  if (uid !== 0 && isInside(path, '/root')) return "is in root's home directory";
  return undefined;
}

/** `path` is below `place`. */
function isInside(path: string, place: string): boolean {
  return path.startsWith(`${place}/`);
}

function isStore(path: string): boolean {
  return path.split('/').includes('.coi');
}

/** `.coi/sessions-<tool>/<id>/` and what is below it. */
function isOwnStore(path: string, session: string): boolean {
  const parts = path.split('/');
  const at = parts.indexOf('.coi');
  return (
    parts.lastIndexOf('.coi') === at &&
    /^sessions-./.test(parts[at + 1] ?? '') &&
    parts[at + 2] === session &&
    parts.length > at + 3
  );
}
