// The specification of a session, and its planned mounts.
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

/** A host directory in the container. `name` is the name of the device. */
export interface PlannedMount extends MountRequest, RequestedMount {}

/** The session to start, merged from the command line, the configuration and a resumed session. */
export interface SessionSpec {
  readonly session: SessionId;
  /** uid of the requesting user; coid determines the files' owner, because root can start sessions for others. */
  readonly owner: number;
  readonly workspace: WorkspacePath;
  /** The real path of the workspace, if it differs. */
  readonly realWorkspace?: string | undefined;
  /** Where the workspace is mounted in the container. */
  readonly target: string;
  /** From `[container] session_name`; replaces the hash of the workspace. */
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
  /** The configured policy for the mode; undefined for the default policy. */
  readonly policy?: PolicyRecord | undefined;
  readonly docker: boolean;
  /** Start timeout, if longer than the default. */
  readonly readyMs?: number;
  /** System calls that it may use. */
  readonly surface: KernelSurface;
  readonly storagePool: string | undefined;
  readonly limits: Limits;
  /** Name of the container's time zone. */
  readonly timezone: string;
  /** `user.coi.monitor`: how coid monitors the session; undefined: not at all. */
  readonly monitor?: string | undefined;
  /** Protected paths; undefined: the agent may change everything. */
  readonly protect?: ProtectRequest | undefined;
  /** Workspace paths that are empty in the container. */
  readonly secrets?: readonly string[] | undefined;
  /** Incus deletes the container when it stops: only for `coi run`. */
  readonly disposable: boolean;
  /** Store directories and extra mounts. */
  readonly mounts: readonly PlannedMount[];
}

export interface ExtraMount {
  readonly host: string;
  readonly container: string;
  readonly readonly: boolean;
}

/** `asked` is the real path of the source at that time, for mounts from the command line; undefined for configured ones. */
export interface RequestedMount {
  readonly target: string;
  readonly readonly: boolean;
  readonly asked?: string | undefined;
}
