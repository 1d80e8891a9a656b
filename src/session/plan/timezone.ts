// The time zone of a session. Pure.
import type { Settings } from '../../config/keys/table.ts';

export interface Zone {
  readonly name: string;
  readonly warning?: string;
}

/**
 * The zone that the settings mean. `hostZone` is the host's, undefined if it is not known; `known` says whether a
 * name is in the host's zone database.
 */
export function sessionZone(
  settings: Settings,
  hostZone: string | undefined,
  known: (name: string) => boolean,
): Zone {
  const utc = { name: 'UTC' };
  switch (settings['timezone.mode']) {
    case 'utc':
      return utc;
    case 'host':
      return hostZone !== undefined && wellFormed(hostZone) ? { name: hostZone } : utc;
    case 'fixed': {
      const name = settings['timezone.name'] ?? '';
      if (wellFormed(name) && known(name)) return { name };
      return { ...utc, warning: `unknown time zone "${name}": the session runs in UTC` };
    }
  }
}

function wellFormed(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(name);
}
