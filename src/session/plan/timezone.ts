// The time zone of a session. Pure.
import type { Settings } from '../../config/keys/table.ts';

export interface Zone {
  readonly name: string;
  readonly warning?: string;
}

/**
 * The configured time zone. `hostZone` is undefined if unknown; `known` tells whether a name is in the host's zone
 * database.
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
      return hostZone !== undefined && isWellFormed(hostZone) ? { name: hostZone } : utc;
    case 'fixed': {
      const name = settings['timezone.name'] ?? '';
      if (isWellFormed(name) && known(name)) return { name };
      return { ...utc, warning: `unknown time zone "${name}": the session runs in UTC` };
    }
  }
}

function isWellFormed(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(name);
}
