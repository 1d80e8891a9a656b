// What is wanted of a session, and the mounts that were decided for it.
import type { NetworkMode, PolicyRecord } from '../../coid-api/network-protocol.ts';
import type { MountRequest, ProtectRequest } from '../../coid-api/session-protocol.ts';
import type {
  Alias,
  ImageAlias,
  SessionId,
  Slot,
  WorkspaceHash,
  WorkspacePath,
} from '../../names.ts';
import type { KernelSurface } from './kernel-surface.ts';
import type { Limits } from './limits.ts';

/** A directory of the host in the container. `name` is the device's. */
export interface PlannedMount extends MountRequest, MaybeAsked {}

/** What is wanted, after command line, configuration and a resumed session were put together. */
export interface SessionWish {
  readonly session: SessionId;
  /** uid of the user who asks; the files' owner is coid's to say, since root works for others. */
  readonly owner: number;
  readonly workspace: WorkspacePath;
  /** The same without links, where that is another one. */
  readonly realWorkspace?: string | undefined;
  /** Where the workspace is mounted in the container. */
  readonly target: string;
  /** Of `[container] session_name`, in the place of the workspace's. */
  readonly hash?: WorkspaceHash | undefined;
  readonly slot: Slot | undefined;
  readonly prefix: string;
  readonly tool: string;
  readonly image: ImageAlias;
  readonly fingerprint?: string | undefined;
  readonly persistent: boolean;
  readonly alias: Alias | undefined;
  readonly profile: string | undefined;
  readonly network: NetworkMode;
  /** What that mode means by configuration; without it, what it means by itself. */
  readonly policy?: PolicyRecord | undefined;
  readonly docker: boolean;
  /** How long the container may take to start, where that is longer than usual. */
  readonly readyMs?: number;
  /** Which system calls it may use. */
  readonly surface: KernelSurface;
  readonly storagePool: string | undefined;
  readonly limits: Limits;
  /** Name of a zone, for everything in the container. */
  readonly timezone: string;
  /** `user.coi.monitor`: how coid watches the session; undefined: not at all. */
  readonly monitor?: string | undefined;
  /** What the agent may not change in the workspace; undefined: everything may be changed. */
  readonly protect?: ProtectRequest | undefined;
  /** What of the workspace is empty inside. */
  readonly secrets?: readonly string[] | undefined;
  /** Incus deletes the container itself when it stops: only for `coi run`. */
  readonly disposable: boolean;
  /** The store's parts and the extra mounts. */
  readonly mounts: readonly PlannedMount[];
}

export interface ExtraMount {
  readonly host: string;
  readonly container: string;
  readonly readonly: boolean;
}

/** A mount of the command line has the path of its source without links at that time; those of configuration have none. */
export interface MaybeAsked {
  readonly target: string;
  readonly readonly: boolean;
  readonly asked?: string | undefined;
}
