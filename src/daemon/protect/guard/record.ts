// The saved record of a guarded workspace: <state dir>/protect/<device>-<inode>.json.
import * as z from 'zod/mini';
import type { ProtectRequest } from '../../../coid-api/session-protocol.ts';
import type { OpenSource } from '../../../host/fs/open-mount-source.ts';
import { mergeRequests } from '../../../session/protect/protect-request.ts';
import { readState, type StateShape } from '../../state-file.ts';
import { type GuardState, noGuard, type Owner } from './state.ts';

export interface GuardRecord {
  readonly root: string;
  readonly device: number;
  readonly inode: number;
  /** Creation time (milliseconds since 1970), and the boot for which the device number is valid. */
  readonly bornMs?: number | undefined;
  readonly boot?: string | undefined;
  readonly owner: Owner;
  readonly request: ProtectRequest;
  /** Protected paths that did not exist when the guard was applied. */
  readonly missing: readonly string[];
  /** Directories that are mount points in sessions: only a session can replace them. */
  readonly mounted?: readonly string[];
  /** Those of them that are read-only as a whole, without a check of their content. */
  readonly whole?: readonly string[];
  readonly state: GuardState;
  /** Ids of the sessions' mounts. */
  readonly users: readonly string[];
}

/** The record for a session that is about to start, combined with that of other sessions there. `users` is set later. */
export function recordFor(
  {
    root,
    owner,
    request,
    boot,
  }: {
    readonly root: OpenSource;
    readonly owner: Owner;
    readonly request: ProtectRequest;
    readonly boot: string;
  },
  known: GuardRecord | undefined,
): GuardRecord & Required<Pick<GuardRecord, 'mounted' | 'whole'>> {
  const { dev: device, ino: inode, birthtimeMs: bornMs } = root.stats;
  return {
    root: root.path,
    device,
    inode,
    bornMs,
    boot,
    owner,
    request: mergeRequests(known?.request, request),
    missing: [],
    mounted: known?.mounted ?? [],
    whole: known?.whole ?? [],
    state: known?.state ?? noGuard,
    users: [],
  };
}

export function keyOf(device: number, inode: number): string {
  return `${device}-${inode}`;
}

const shape = z.looseObject({
  root: z.string(),
  device: z.number(),
  inode: z.number(),
  owner: z.looseObject({}),
  request: z.looseObject({}),
  state: z.looseObject({ entries: z.array(z.looseObject({ path: z.string() })) }),
  users: z.array(z.string()),
});

/** coid itself writes it, so the fields that are not validated here can be trusted. */
export const guardRecordShape = shape as unknown as StateShape<GuardRecord>;

export function readRecord(path: string): GuardRecord | undefined {
  return readState(path, guardRecordShape);
}
