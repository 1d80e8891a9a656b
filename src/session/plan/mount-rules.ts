// Rules for host paths that may be mounted, by their real path. Pure; coi checks early, coid decides.

/** Host directories that containers must not see. All are real paths. */
export interface SensitivePaths {
  /** Home directories of users, including root. */
  readonly homes: readonly string[];
  /** coid's own directories. */
  readonly runDir: string;
  readonly stateDir: string;
}

export interface MountSpec {
  /** With all links resolved. */
  readonly path: string;
  readonly readonly: boolean;
  /** The requesting user. */
  readonly uid: number;
  /** Only this session's part of the store may be mounted. */
  readonly session: string;
}

/** Kernel interfaces and directories of daemons that give control over the host; not even read-only. */
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
/** Programs and configuration of the host: only read-only. */
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
/** Shared directories of the host; a directory inside is fine. */
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

/** Why a path must not be mounted, as the end of a sentence that begins with the path; undefined if it may. */
export function mountRefusal(
  { path, readonly, uid, session }: MountSpec,
  { homes, runDir, stateDir }: SensitivePaths,
): string | undefined {
  if (path === '/') return 'is the root of this host';
  if (homes.includes(path))
    return 'is a home directory: the agent could access everything in it, including keys and logins';
  const home = homes.find((candidate) => isInside(candidate, path));
  if (home !== undefined) return `contains a home directory (${home})`;
  const within = [...closed, runDir, stateDir].find(
    (directory) => path === directory || isInside(path, directory),
  );
  if (within !== undefined)
    return `belongs to ${within}, through which the host could be taken over`;
  const around = [...closed, runDir, stateDir].find((directory) => isInside(directory, path));
  if (around !== undefined) return `contains ${around}, through which the host could be taken over`;
  if (isStore(path) && !isOwnStore(path, session))
    return "is part of coi's own files and stored sessions";
  if (isTreePlace(path)) return "is part of coi's own files beside the trees of sessions";
  if (!readonly && homes.some((one) => isInside(`${one}/${treesBelowHome}`, path)))
    return "contains coi's own files beside the trees of sessions";
  if (shared.includes(path) && !readonly)
    return 'is shared by the whole host; use a directory inside it';
  const directory = system.find((candidate) => path === candidate || isInside(path, candidate));
  if (directory !== undefined && !readonly) return `belongs to the system (${directory})`;
  if (uid !== 0 && isInside(path, '/root')) return "is in root's home directory";
  return undefined;
}

/** Where own trees and coi's repositories are: only `<repository>/<name>/tree` may be mounted (app/trees/tree-places.ts). */
const treesBelowHome = '.local/share/coi/trees';

/** Part of that directory, but not in the tree of a session. */
function isTreePlace(path: string): boolean {
  const at = `${path}/`.indexOf(`/${treesBelowHome}/`);
  if (at < 0) return false;
  const [repository, name, last] = path.slice(at + treesBelowHome.length + 2).split('/');
  return !repository || !name || name.startsWith('.') || last !== 'tree';
}

/** `path` is below `directory`. */
function isInside(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`);
}

function isStore(path: string): boolean {
  return path.split('/').includes('.coi');
}

/** A path below `.coi/sessions-<tool>/<id>/`. */
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
