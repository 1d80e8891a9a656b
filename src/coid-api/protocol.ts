// The protocol between coi and coid: JSON over HTTP on /run/coi/coid.sock. Types and constants only; sessions, networks
// and ended sessions have their own files.
import type { ChainHead } from '../monitor/audit.ts';
import type { Snapshot } from '../monitor/snapshot.ts';

/** Incremented with every incompatible change. */
export const protocolVersion = 2;
export const defaultRunDir = '/run/coi';
export const defaultStateDir = '/var/lib/coi';
export const socketName = 'coid.sock';
export const leaseMs = 60_000; // An unused reservation expires after this time.
/** Header of every reply with coid's protocol version. */
export const protocolHeader = 'x-coi-protocol';
export const requestBytesMax = 262_144;
export const mountsMax = 64;

/** GET /v1/status */
export interface DaemonStatus {
  readonly protocol: number;
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly incus: 'connected' | 'waiting';
  /** Sessions with mounts, and unused reservations. */
  readonly sessions: number;
  readonly leases: number;
  readonly bridge: string;
  /** How many sessions have active network rules. */
  readonly guarded: number;
  /** Why the rules may be incorrect; absent if they are correct. */
  readonly guardFailure?: string | undefined;
  readonly guardsLeftIn?: readonly string[] | undefined;
  /** Mount points of unresponsive file systems. */
  readonly filesHeld?: readonly string[] | undefined;
}

/** GET /v1/alive: answered at once, whatever else coid is waiting for. */
export interface AliveReply {
  /** Some calls to Incus are still unanswered. */
  readonly waitsForIncus: boolean;
}

/** GET /v1/monitor */
export interface MonitorsReply {
  readonly sessions: readonly Snapshot[];
}

/** GET /v1/audit/<name>: lines of the log, oldest first, and the separately stored head of the chain. */
export interface AuditReply {
  readonly lines: readonly string[];
  readonly head?: ChainHead | undefined;
}

/** Any failure: HTTP status and this. `code` is one of errors.ts. */
export interface DaemonError {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}
