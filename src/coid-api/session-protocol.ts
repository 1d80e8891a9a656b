// Wire types for starting a session and for its mounts.
import type { ContainerName, SessionId, Slot, WorkspaceHash } from '../names.ts';
import type { NetworkMode, PolicyRecord } from './network-protocol.ts';
import type { ReservedMount } from './reserved-mount.ts';

/** Which parts of a workspace to guard. */
export interface ProtectRequest {
  /** `[security]`: relative paths that the agent may not change. */
  readonly paths: readonly string[];
  /** If a path cannot be guarded: refuse to start, or only watch it. */
  readonly mode: 'guard' | 'watch';
  /** `[git] readonly`: nothing below .git can be written. */
  readonly readonlyGit?: boolean | undefined;
  /** `[security] writable_paths`: not guarded, even if git's configuration names them. */
  readonly writable?: readonly string[] | undefined;
  /** Git directories directly in the workspace with a name other than `.git`; `paths` includes what is protected in them. */
  readonly gitDirectories?: readonly string[] | undefined;
  /** Only the content of these directories is guarded: no session works in the rest. */
  readonly within?: readonly string[] | undefined;
  /** Include what git's configuration names in other worktrees in the workspace. Only for the report, which guards nothing. */
  readonly everywhere?: boolean | undefined;
  /** Absolute paths of worktrees outside the workspace that sessions work in. All others are sealed. */
  readonly checkouts?: readonly string[] | undefined;
}

/** One host directory to mount. `name` is the device name, unique in the request. */
export interface MountRequest {
  readonly name: string;
  readonly source: string;
  readonly readonly: boolean;
  /** Its path in the workspace, if it lies there: opened without following links, or refused. */
  readonly inside?: string | undefined;
  /** Name of the workspace's worktree, if this is the git directory of its repository: guarded like a `.git`. */
  readonly git?: string | undefined;
}

/** POST /v1/sessions. The owner is the peer; for root, the owner of the workspace. */
export interface ReserveRequest {
  readonly prefix: string;
  readonly hash: WorkspaceHash;
  /** The lowest free slot, or the first free one from `slot` upwards. */
  readonly slot: { readonly kind: 'auto' } | { readonly kind: 'from'; readonly slot: Slot };
  /** Container name to use instead of prefix-hash-slot. */
  readonly container?: ContainerName;
  readonly session: SessionId;
  /** UUID of this start. A second start of the session is refused, even from the same process. */
  readonly startId: string;
  readonly workspace: string;
  readonly mounts: readonly MountRequest[];
  readonly network: NetworkMode;
  /** Details of the mode for this session; default: those of the mode alone. */
  readonly policy?: PolicyRecord;
  /** What the agent may not change in the workspace; default: nothing is guarded. */
  readonly protect?: ProtectRequest;
  /** Paths in the workspace that appear empty inside the container. */
  readonly secrets?: readonly string[];
  /** The container is kept when it stops: files of its services keep their ids. */
  readonly persistent?: boolean | undefined;
}

export interface Reservation {
  /** Name of the mounts' directory (`id` of the MountRecord). */
  readonly id: string;
  readonly container: ContainerName;
  readonly slot: Slot;
  /** Host uid that owns what the agent writes. */
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
  /** Id of the container's mounts: another container with its name is refused. */
  readonly id: string;
  /** As in a reservation: a start that changes the container's keys makes its mounts twice. */
  readonly startId: string;
  /** For a stopped container: mounts that replace those in its keys. The caller updates the keys. */
  readonly mounts?: readonly MountRequest[];
  /** The new network mode, if the caller is about to change it. */
  readonly network?: NetworkMode;
  /** New protection and secret paths, if the caller is about to change them. */
  readonly protect?: ProtectRequest;
  readonly secrets?: readonly string[];
}

/** POST /v1/containers/<name>/mounts: the container's mounts. */
export interface MountsReply {
  readonly mounts: readonly ReservedMount[];
}

/** GET /v1/sessions: the peer's reservations (for root: everyone's) that are not yet containers. */
export interface SessionsReply {
  readonly sessions: readonly {
    readonly id: string;
    readonly container: string;
    readonly ownerUid: number;
    readonly workspace: string;
    readonly address: string;
  }[];
}

/** JSON in `user.coi.mounts` of the instance: what coid needs to recreate the mounts after a host reboot. */
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
