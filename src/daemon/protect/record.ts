// What is written down of a guarded workspace, in <state dir>/protect/<device>-<inode>.json.
import { readFileSync, type Stats } from 'node:fs';
import type { ProtectRequest } from '../../session/protect-request.ts';
import type { GuardState, Owner } from './guard.ts';

/** What is written down of one workspace. */
export interface GuardRecord {
  readonly root: string;
  readonly device: number;
  readonly inode: number;
  readonly owner: Owner;
  readonly request: ProtectRequest;
  /** Protected paths that were not there when the guard was put up. */
  readonly missing: readonly string[];
  readonly state: GuardState;
  /** Ids of the sessions' mounts. */
  readonly users: readonly string[];
}

/** The path itself, or something in it. */
export function isWithin(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}/`);
}

export function keyOf(device: number, inode: number): string {
  return `${device}-${inode}`;
}

/** At the same path, that is. Devices are numbered anew at each boot. */
export function isSame(stats: Stats, inode: number): boolean {
  return stats.ino === inode;
}

export function readRecord(path: string): GuardRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as Partial<GuardRecord>;
    return typeof record.root === 'string' &&
      Array.isArray(record.users) &&
      record.state &&
      record.request &&
      record.owner
      ? (record as GuardRecord)
      : undefined;
  } catch {
    return undefined;
  }
}
