// Extra directories of the host in the container: --mount and [[mounts.default]].
import { isAbsolute, normalize, resolve } from 'node:path';
import type { MountRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import { quoted } from '../../names.ts';
import type { ExtraMount, PlannedMount } from './session-wish.ts';

/** Parses `HOST:CONTAINER` or `HOST:CONTAINER:ro` of --mount. Throws `usage`. */
export function parseMount(text: string, cwd: string, home: string): ExtraMount {
  const match = /^(.+?):([^:]+)(?::(ro|rw))?$/.exec(text);
  const [, host, container, mode] = match ?? [];
  if (!host || !container || /[\0\n]/.test(text)) {
    throw new CoiError('usage', `invalid --mount ${quoted(text)}: it has the form HOST:CONTAINER`, {
      hint: 'For example --mount ~/data:/data, or --mount ~/data:/data:ro to forbid writing.',
    });
  }
  return {
    host: resolve(cwd, host.replace(/^~(?=\/|$)/, home)),
    container,
    readonly: mode === 'ro',
  };
}

/** Of the guest itself: a container that has something else there does not come up, or is none any more. */
const kernelPlaces = ['/proc', '/sys', '/dev', '/run'];
const guestPlaces = [
  ...['/bin', '/boot', '/etc', '/home', agentUser.home, '/lib', '/lib64', '/opt', '/root', '/sbin'],
  ...['/tmp', '/usr', '/usr/bin', '/usr/lib', '/usr/local', '/usr/sbin', '/usr/share'],
  ...['/var', '/var/lib', '/var/tmp'],
];

export function hidesGuest(target: string): boolean {
  const ofKernel = kernelPlaces.some((place) => target === place || target.startsWith(`${place}/`));
  return ofKernel || guestPlaces.includes(target);
}

/**
 * The mounts as devices; what lies in the workspace, by its name or by its path without links, is asked for as such.
 * Throws `mount-invalid` for relative, overlapping and the guest's own places in the container.
 */
export function plannedMounts(
  mounts: readonly ExtraMount[],
  taken: readonly string[],
  workspaces: readonly string[],
): PlannedMount[] {
  const planned = mounts.map(({ host, container, readonly }, at) => {
    const target = normalize(container).replace(/(.)\/+$/, '$1');
    if (!isAbsolute(container) || target === '/') {
      throw new CoiError(
        'mount-invalid',
        `the mount target ${quoted(container)} has to be an absolute path in the container, not the root`,
        { hint: 'For example /data.' },
      );
    }
    if (hidesGuest(target)) {
      throw new CoiError(
        'mount-invalid',
        `the mount target ${quoted(target)} would hide the container's own files`,
        { hint: 'For example /data, or a directory of its own below that one.' },
      );
    }
    const inside = insideOf(host, workspaces);
    return {
      name: `mount-${at}`,
      source: host,
      target,
      readonly,
      ...(inside === undefined ? {} : { inside }),
    };
  });
  const places = [...taken.map((target) => ({ target, readonly: false })), ...planned];
  for (const [at, mount] of planned.entries()) {
    const other = places.find((place, index) => index !== at + taken.length && clash(place, mount));
    if (other) {
      throw new CoiError(
        'mount-invalid',
        `the mount target ${quoted(mount.target)} overlaps with ${quoted(other.target)}`,
        { hint: 'Make the inner one read-only, or choose another place.' },
      );
    }
  }
  return planned;
}

/** The path below one of the names of the workspace; undefined if it is elsewhere. */
function insideOf(host: string, workspaces: readonly string[]): string | undefined {
  const top = workspaces.find((one) => host === one || host.startsWith(`${one}/`));
  if (top === undefined) return undefined;
  return host === top ? '.' : host.slice(top.length + 1);
}

/** Two places clash when one lies in the other, unless the inner one (both, when they are the same) is read-only. */
function clash(
  a: { target: string; readonly: boolean },
  b: { target: string; readonly: boolean },
): boolean {
  if (a.target === b.target) return !(a.readonly && b.readonly);
  if (b.target.startsWith(`${a.target}/`)) return !b.readonly;
  if (a.target.startsWith(`${b.target}/`)) return !a.readonly;
  return false;
}

/** What coid needs to know of a mount. */
export function mountRequest({ name, source, readonly, inside, git }: PlannedMount): MountRequest {
  return {
    name,
    source,
    readonly,
    ...(inside === undefined ? {} : { inside }),
    ...(git === undefined ? {} : { git }),
  };
}
