// What coi and coid say to each other: JSON over HTTP on /run/coi/coid.sock. Types and constants only; the parts that are
// about sessions, networks and ends are in files of their own.
import type { ChainHead } from '../monitor/audit.ts';
import type { Snapshot } from '../monitor/snapshot.ts';

/** Raised with every change that an older side would misunderstand. */
export const protocolVersion = 2;
export const defaultRunDir = '/run/coi';
export const defaultStateDir = '/var/lib/coi';
export const socketName = 'coid.sock';
export const leaseMs = 60_000; // A reservation that has not become an instance by then is undone.
/** Header of every reply: the protocol version of coid. */
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
  /** Sessions whose mounts are in force, and reservations not yet used. */
  readonly sessions: number;
  readonly leases: number;
  readonly bridge: string;
  /** How many sessions have their rules in force. */
  readonly guarded: number;
  /** Why rules may not be as they should be; absent when they are. */
  readonly guardFailure?: string | undefined;
  readonly guardsLeftIn?: readonly string[] | undefined;
  /** Where file systems are mounted that do not answer. */
  readonly filesHeld?: readonly string[] | undefined;
}

/** GET /v1/alive: answered at once, whatever else coid waits for. */
export interface AliveReply {
  /** Calls of coid to Incus that have not been answered yet. */
  readonly waitsForIncus: boolean;
}

/** GET /v1/monitor */
export interface MonitorsReply {
  readonly sessions: readonly Snapshot[];
}

/** GET /v1/audit/<name>: lines of the log, the oldest first, and the end that was written down apart. */
export interface AuditReply {
  readonly lines: readonly string[];
  readonly head?: ChainHead | undefined;
}

/** Any failure: HTTP status and this. `code` is one of errors.ts. */
export interface DaemonError {
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string };
}
