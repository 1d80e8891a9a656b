// Extra mounts: --mount and [[mounts.default]].
import { isAbsolute, normalize, resolve } from 'node:path';
import type { MountRequest } from '../../coid-api/session-protocol.ts';
import { CoiError } from '../../errors.ts';
import { agentUser } from '../../guest-user.ts';
import { quoted } from '../../names.ts';
import type { ExtraMount, PlannedMount } from './session-spec.ts';

/** Parses --mount: `HOST:CONTAINER` or `HOST:CONTAINER:ro`. Throws `usage`. */
export function parseMount(text: string, cwd: string, home: string): ExtraMount {
  const match = /^(.+?):([^:]+)(?::(ro|rw))?$/.exec(text);
  const [, host, container, mode] = match ?? [];
  if (!host || !container || /[\0\n]/.test(text)) {
    throw new CoiError('usage', `invalid --mount ${quoted(text)}: the format is HOST:CONTAINER`, {
      hint: 'Use for example --mount ~/data:/data, or --mount ~/data:/data:ro for read-only.',
    });
  }
  return {
    host: resolve(cwd, host.replace(/^~(?=\/|$)/, home)),
    container,
    readonly: mode === 'ro',
  };
}

/** Guest directories that a mount must not replace, because the container would not boot or work. */
const kernelDirectories = ['/proc', '/sys', '/dev', '/run'];
const guestDirectories = [
  ...['/bin', '/boot', '/etc', '/home', agentUser.home, '/lib', '/lib64', '/opt', '/root', '/sbin'],
  ...['/tmp', '/usr', '/usr/bin', '/usr/lib', '/usr/local', '/usr/sbin', '/usr/share'],
  ...['/var', '/var/lib', '/var/tmp'],
];

export function hidesGuest(target: string): boolean {
  const ofKernel = kernelDirectories.some(
    (entry) => target === entry || target.startsWith(`${entry}/`),
  );
  return ofKernel || guestDirectories.includes(target);
}

/**
 * Plans the extra mounts. A source in the workspace (by its path or its real path) is marked with `inside`.
 * Throws `mount-invalid` for targets that are relative, overlap, or hide the guest's own files.
 */
export function planMounts(
  mounts: readonly ExtraMount[],
  taken: readonly string[],
  workspaces: readonly string[],
): PlannedMount[] {
  const planned = mounts.map(({ host, container, readonly }, at) => {
    const target = normalize(container).replace(/(.)\/+$/, '$1');
    if (!isAbsolute(container) || target === '/') {
      throw new CoiError(
        'mount-invalid',
        `the mount target ${quoted(container)} must be an absolute path in the container, not the root`,
        { hint: 'Use for example /data.' },
      );
    }
    if (hidesGuest(target)) {
      throw new CoiError(
        'mount-invalid',
        `the mount target ${quoted(target)} would hide the container's own files`,
        { hint: 'Use for example /data, or a subdirectory of that target.' },
      );
    }
    const inside = pathInWorkspace(host, workspaces);
    return {
      name: `mount-${at}`,
      source: host,
      target,
      readonly,
      ...(inside === undefined ? {} : { inside }),
    };
  });
  const occupied = [...taken.map((target) => ({ target, readonly: false })), ...planned];
  for (const [at, mount] of planned.entries()) {
    const other = occupied.find(
      (entry, index) => index !== at + taken.length && targetsClash(entry, mount),
    );
    if (other) {
      throw new CoiError(
        'mount-invalid',
        `the mount target ${quoted(mount.target)} overlaps with ${quoted(other.target)}`,
        { hint: 'Make the inner one read-only, or choose another target.' },
      );
    }
  }
  return planned;
}

/** The path relative to the workspace, under any of its names; undefined if it is elsewhere. */
function pathInWorkspace(host: string, workspaces: readonly string[]): string | undefined {
  const top = workspaces.find((one) => host === one || host.startsWith(`${one}/`));
  if (top === undefined) return undefined;
  return host === top ? '.' : host.slice(top.length + 1);
}

/** Two targets clash if one contains the other, unless the inner one (both, if they are equal) is read-only. */
function targetsClash(
  a: { target: string; readonly: boolean },
  b: { target: string; readonly: boolean },
): boolean {
  if (a.target === b.target) return !(a.readonly && b.readonly);
  if (b.target.startsWith(`${a.target}/`)) return !b.readonly;
  if (a.target.startsWith(`${b.target}/`)) return !a.readonly;
  return false;
}

/** The part of a mount that coid needs. */
export function mountRequest({ name, source, readonly, inside, git }: PlannedMount): MountRequest {
  return {
    name,
    source,
    readonly,
    ...(inside === undefined ? {} : { inside }),
    ...(git === undefined ? {} : { git }),
  };
}
