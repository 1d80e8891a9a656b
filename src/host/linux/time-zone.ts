// The host's time zone.
import { existsSync, readFileSync, readlinkSync } from 'node:fs';

const database = '/usr/share/zoneinfo/';

/** The name of the host's zone, from /etc/timezone or the target of /etc/localtime; undefined if neither has one. */
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

/** Whether the host's zone database has that name. Callers exclude `..` (session/plan/timezone.ts). */
export function isKnownZone(name: string): boolean {
  return existsSync(database + name);
}
