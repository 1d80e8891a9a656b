// What is written down of a guarded workspace, in <state dir>/protect/<device>-<inode>.json.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Source } from '../../host/open-source.ts';
import { bothRequests, type ProtectRequest } from '../../session/protect-request.ts';
import { type GuardState, noGuard, type Owner } from './state.ts';

/** What is written down of one workspace. */
export interface GuardRecord {
  readonly root: string;
  readonly device: number;
  readonly inode: number;
  /** When it was made (milliseconds since 1970), and the boot of the host in which the device had that number. */
  readonly bornMs?: number | undefined;
  readonly boot?: string | undefined;
  readonly owner: Owner;
  readonly request: ProtectRequest;
  /** Protected paths that were not there when the guard was put up. */
  readonly missing: readonly string[];
  /** Directories that got a mount of their own: nobody but a session can put another in their place. */
  readonly mounted?: readonly string[];
  /** Those of them that hold all that is in them, which nobody looked at. */
  readonly whole?: readonly string[];
  readonly state: GuardState;
  /** Ids of the sessions' mounts. */
  readonly users: readonly string[];
}

/** Of a session that is about to begin, with what is known of others there; who uses it is added later. */
export function recordFor(
  {
    root,
    owner,
    request,
    boot,
  }: {
    readonly root: Source;
    readonly owner: Owner;
    readonly request: ProtectRequest;
    readonly boot: string;
  },
  known: GuardRecord | undefined,
): GuardRecord & Required<Pick<GuardRecord, 'mounted' | 'whole'>> {
  const { dev: device, ino: inode, birthtimeMs: bornMs } = root.stats;
  return {
    ...{ root: root.path, device, inode, bornMs, boot, owner },
    request: bothRequests(known?.request, request),
    missing: [],
    mounted: known?.mounted ?? [],
    whole: known?.whole ?? [],
    state: known?.state ?? noGuard,
    users: [],
  };
}

/** The path itself, or something in it. */
export function isWithin(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}/`);
}

export function keyOf(device: number, inode: number): string {
  return `${device}-${inode}`;
}

/** The old one stays until the new one is whole. */
export function writeRecord(path: string, text: string, flush: boolean): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush });
  renameSync(`${path}.new`, path);
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
