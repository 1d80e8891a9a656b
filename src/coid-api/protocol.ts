// What coi and coid say to each other: JSON over HTTP on /run/coi/coid.sock. Types and constants only.
import type { ChainHead } from '../monitor/audit.ts';
import type { Snapshot } from '../monitor/snapshot.ts';
import type { ContainerName, SessionId, Slot } from '../names.ts';
import type { ProtectRequest } from '../session/protect/protect-request.ts';
import type { ReservedMount } from './reserved-mount.ts';

export type { ReservedMount } from './reserved-mount.ts';

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

export type NetworkMode = 'restricted' | 'allowlist' | 'open';

/** What a session may reach, as JSON: `user.coi.policy`. Source of the parts: `[network]` in config/keys.ts. */
export interface PolicyRecord {
  readonly mode: NetworkMode;
  /** `host`, `*.host`, IPv4 or CIDR, each with optional `:ports`: for allowlist. */
  readonly allow: readonly string[];
  readonly hosts: readonly {
    readonly address: string;
    readonly names: readonly string[];
    readonly ports: readonly number[];
  }[];
  readonly dnsServers: readonly string[];
  readonly allowedPorts: readonly number[];
  readonly allowLocal: boolean;
  readonly blockPrivate: boolean;
  readonly blockMetadata: boolean;
}

/** One host directory that the container gets. `name` is the device name, unique in the request. */
export interface MountRequest {
  readonly name: string;
  readonly source: string;
  readonly readonly: boolean;
  /** It was judged to lie in the workspace, at this path in it: opened there through no link, or refused. */
  readonly inside?: string | undefined;
  /** It is git's directory of the repository that the workspace is this worktree of: guarded as a `.git` is. */
  readonly git?: string | undefined;
}

/** POST /v1/sessions. The owner is the peer's uid; for root, the owner of the workspace. */
export interface ReserveRequest {
  readonly prefix: string;
  readonly hash: string;
  /** Lowest free one, or from the wanted one upwards. */
  readonly slot: { readonly kind: 'auto' } | { readonly kind: 'from'; readonly slot: Slot };
  /** A container of any name instead of prefix-hash-slot. */
  readonly container?: ContainerName;
  readonly session: SessionId;
  /** A UUID of this start, so that a second start of the session is refused, also one of the same process. */
  readonly startId: string;
  readonly workspace: string;
  readonly mounts: readonly MountRequest[];
  readonly network: NetworkMode;
  /** What that mode means for this session; without it, what it means by itself. */
  readonly policy?: PolicyRecord;
  /** What the agent may not change in the workspace; without it, nothing is guarded. */
  readonly protect?: ProtectRequest;
  /** What of the workspace is empty inside; paths relative to it. */
  readonly secrets?: readonly string[];
  /** It is kept when it stops: what its services leave stays theirs. */
  readonly persistent?: boolean | undefined;
}

export interface Reservation {
  /** Names the directory of the mounts (`id` of the MountRecord). */
  readonly id: string;
  readonly container: ContainerName;
  readonly slot: Slot;
  /** uid on the host that owns what the agent writes. */
  readonly ownerUid: number;
  readonly ownerGid: number;
  /** First host uid of the container (security.idmap.base). */
  readonly idmapBase: number;
  readonly nic: {
    readonly bridge: string;
    /** Interface on the host side, at most 15 characters. */
    readonly hostName: string;
    readonly mac: string;
    /** IPv4 without prefix length. */
    readonly address: string;
    readonly prefixLength: number;
    readonly gateway: string;
    readonly nameserver: string;
  };
  readonly mounts: readonly ReservedMount[];
}

/** POST /v1/ownership: what containers of that workspace left under their ids becomes its owner's. */
export interface OwnershipRequest {
  readonly workspace: string;
  /** Besides the workspace: the stores of its sessions. */
  readonly directories: readonly string[];
  /** Only counts. */
  readonly dryRun?: boolean;
}

export interface OwnershipReply {
  readonly count: number;
  /** False if a session began meanwhile, or a directory could not be read to its end. */
  readonly complete: boolean;
}

/** A file that ran with the rights of its owner or group, or with capabilities, until the session ended. */
export interface StrippedFile {
  /** On the host. */
  readonly path: string;
  /** Permission bits as they were. */
  readonly mode: number;
  readonly capabilities: boolean;
}

/** POST /v1/ended: the sessions of a workspace that run, and the last that have ended; waits a moment for the end of `container`. */
export interface EndedRequest {
  readonly workspace: string;
  readonly container?: string | undefined;
}

export interface EndedSession {
  readonly container: string;
  /** Both ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** What was taken away at its end: the first of it by name. */
  readonly stripped: readonly StrippedFile[];
  /** From how many files; a coid of before named all. */
  readonly strippedCount?: number | undefined;
  /** False while not all that it could write was looked at: more may be left. A coid of before did not say. */
  readonly complete?: boolean | undefined;
  /** Paths that were guarded all the time, absolute ones outside of the workspace; undefined where that is not known (any more). */
  readonly guarded?: readonly string[] | undefined;
  /** Git's directory elsewhere, which it could write as well. */
  readonly common?: string | undefined;
  /** Directories that it could write and that were not looked at: something else is there now. */
  readonly unseen?: readonly string[] | undefined;
}

/** A session that runs, or has ended a moment ago. */
export interface OpenSession {
  readonly container: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** As of one that has ended. */
  readonly guarded?: readonly string[] | undefined;
  readonly common?: string | undefined;
}

export interface EndedReply {
  /** The latest first. */
  readonly sessions: readonly EndedSession[];
  readonly open: readonly OpenSession[];
}

/** POST /v1/containers/<name>/mounts */
export interface RemountRequest {
  /** Of the mounts of the container that is meant: another one of its name is refused. */
  readonly id: string;
  /** As in a reservation: a start makes its mounts twice where its keys change. */
  readonly startId: string;
  /** Instead of those that its keys name, for a stopped one; whoever asks writes them there. */
  readonly mounts?: readonly MountRequest[];
  /** The mode that it will have, where another is about to be written. */
  readonly network?: NetworkMode;
  /** The same of what is protected, and of what is empty inside. */
  readonly protect?: ProtectRequest;
  readonly secrets?: readonly string[];
}

/** POST /v1/containers/<name>/mounts: where the mounts of that container are (again). */
export interface MountsReply {
  readonly mounts: readonly ReservedMount[];
}

/** GET /v1/sessions: the reservations of the peer (for root: of all) that are not yet containers. */
export interface SessionsReply {
  readonly sessions: readonly {
    readonly id: string;
    readonly container: string;
    readonly ownerUid: number;
    readonly workspace: string;
    readonly address: string;
  }[];
}

/** GET /v1/network/<container> */
export interface NetworkReport {
  readonly container: string;
  /** On the host side. */
  readonly interface: string;
  readonly address: string;
  readonly bridge: {
    readonly name: string;
    readonly gateway: string;
    readonly prefixLength: number;
  };
  readonly policy: PolicyRecord;
  /** Entries that were opened for a while; `until` is ISO 8601. */
  readonly permits: readonly { readonly entry: string; readonly until: string }[];
  /** Networks of the host that count as private. */
  readonly attached: readonly string[];
  readonly inForce: boolean;
  /** Of the last quarter of an hour, each destination once, the latest first. */
  readonly denials: readonly {
    readonly address: string;
    readonly protocol: string;
    readonly port: number | undefined;
    readonly secondsAgo: number;
  }[];
  /** Names that were refused; `at` is ISO 8601. */
  readonly names: readonly {
    readonly name: string;
    readonly type: string;
    readonly reason: string;
    readonly count: number;
    readonly at: string;
  }[];
}

/** POST /v1/network/<container>/permits */
export interface PermitRequest {
  /** Of the mounts of the container that is meant. */
  readonly id: string;
  readonly entry: string;
  readonly forMs: number;
}

export interface PermitReply {
  readonly entry: string;
  readonly until: string;
}

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

/** `user.coi.mounts` of the instance, as JSON: what coid needs to make the mounts again after a reboot of the host. */
export interface MountRecord {
  readonly id: string;
  readonly runDir: string;
  readonly ownerUid: number;
  readonly ownerGid: number;
  readonly idmapBase: number;
  readonly mounts: readonly MountRequest[];
  readonly protect?: ProtectRequest | undefined;
  readonly secrets?: readonly string[] | undefined;
}
