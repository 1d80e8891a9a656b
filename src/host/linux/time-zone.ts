// The host's time zone.
import { existsSync, readFileSync, readlinkSync } from 'node:fs';

const database = '/usr/share/zoneinfo/';

/** Name of the host's zone, from /etc/timezone or where /etc/localtime points; undefined if neither says. */
export function hostZone(): string | undefined {
  try {
    const name = readFileSync('/etc/timezone', 'utf8').trim();
    if (name) return name;
  } catch {
    // Not every distribution has the file.
  }
  try {
    const target = readlinkSync('/etc/localtime');
    const at = target.indexOf('zoneinfo/');
    return at < 0 ? undefined : target.slice(at + 'zoneinfo/'.length);
  } catch {
    return undefined;
  }
}

/** Whether the zone database of the host has that name, which holds no `..` (session/plan/timezone.ts). */
export function knownZone(name: string): boolean {
  return existsSync(database + name);
}
