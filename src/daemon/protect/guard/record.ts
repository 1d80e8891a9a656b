// What is written down of a guarded workspace, in <state dir>/protect/<device>-<inode>.json.
import * as z from 'zod/mini';
import type { ProtectRequest } from '../../../coid-api/session-protocol.ts';
import type { Source } from '../../../host/fs/open-source.ts';
import { bothRequests } from '../../../session/protect/protect-request.ts';
import { readState, type StateShape } from '../../state-file.ts';
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
    root: root.path,
    device,
    inode,
    bornMs,
    boot,
    owner,
    request: bothRequests(known?.request, request),
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

/** Written by coid itself: what is in it beside what is looked at here is as it was written. */
export const guardRecordShape = shape as unknown as StateShape<GuardRecord>;

export function readRecord(path: string): GuardRecord | undefined {
  return readState(path, guardRecordShape);
}
