// Extra directories of the host in the container: --mount and [[mounts.default]].
import { isAbsolute, normalize, resolve } from 'node:path';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';
import type { PlannedMount } from './plan.ts';

export interface ExtraMount {
  readonly host: string;
  readonly container: string;
  readonly readonly: boolean;
}

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

/** The mounts as devices. Throws `mount-invalid` for relative or overlapping places in the container. */
export function plannedMounts(
  mounts: readonly ExtraMount[],
  taken: readonly string[],
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
    return { name: `mount-${at}`, source: host, target, readonly };
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
