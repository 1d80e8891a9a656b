// What coi and coid say about a session that is started, and its mounts.
import type { ContainerName, SessionId, Slot, WorkspaceHash } from '../names.ts';
import type { NetworkMode, PolicyRecord } from './network-protocol.ts';
import type { ReservedMount } from './reserved-mount.ts';

/** What of a workspace is asked to be guarded. */
export interface ProtectRequest {
  /** `[security]`: relative paths that the agent may not change. */
  readonly paths: readonly string[];
  /** What happens where a path cannot be guarded: stop, or only watch. */
  readonly mode: 'guard' | 'watch';
  /** `[git] readonly`: nothing below .git can be written at all. */
  readonly readonlyGit?: boolean | undefined;
  /** `[security] writable_paths`: not guarded either where git's configuration names them. */
  readonly writable?: readonly string[] | undefined;
  /** Directories of git directly in the workspace that have another name than `.git`; what is protected in them is among the paths. */
  readonly gitDirectories?: readonly string[] | undefined;
  /** Only what lies in these directories is guarded: nobody works in the rest. */
  readonly within?: readonly string[] | undefined;
  /** Also what git's configuration names in other worktrees in the workspace: for the report, which guards nothing. */
  readonly everywhere?: boolean | undefined;
  /** Worktrees outside of it that sessions work in; absolute paths. Those of others are sealed. */
  readonly checkouts?: readonly string[] | undefined;
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
  readonly hash: WorkspaceHash;
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
