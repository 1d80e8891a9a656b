// Wire types for ended sessions and the files they leave behind.

/** POST /v1/ownership: gives files that containers of the workspace left under their own ids to its owner. */
export interface OwnershipRequest {
  readonly workspace: string;
  /** In addition to the workspace: the stores of its sessions. */
  readonly directories: readonly string[];
  /** Only counts the files. */
  readonly dryRun?: boolean;
}

export interface OwnershipReply {
  readonly count: number;
  /** False if a session started meanwhile, or a directory could not be read completely. */
  readonly complete: boolean;
}

/** A file that was setuid, setgid or had capabilities until the session ended. */
export interface StrippedFile {
  /** On the host. */
  readonly path: string;
  /** The original permission bits. */
  readonly mode: number;
  readonly capabilities: boolean;
}

/** POST /v1/ended: running and recently ended sessions of a workspace; waits briefly for the end of `container`. */
export interface EndedRequest {
  readonly workspace: string;
  readonly container?: string | undefined;
}

export interface EndedSession {
  readonly container: string;
  /** Both ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** The first files that lost such rights at its end. */
  readonly stripped: readonly StrippedFile[];
  /** How many files lost them; an older coid lists all of them instead. */
  readonly strippedCount?: number | undefined;
  /** False while some writable directories are unchecked: more may be left. An older coid does not send it. */
  readonly complete?: boolean | undefined;
  /** Paths that were guarded the whole time, absolute outside the workspace; undefined if unknown. */
  readonly guarded?: readonly string[] | undefined;
  /** Shared git directory outside the workspace, which it could also write. */
  readonly common?: string | undefined;
  /** Writable directories that could not be checked: something else is there now. */
  readonly unseen?: readonly string[] | undefined;
}

/** A session that is running or has just ended. */
export interface OpenSession {
  readonly container: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** As in {@link EndedSession}. */
  readonly guarded?: readonly string[] | undefined;
  readonly common?: string | undefined;
}

export interface EndedReply {
  /** The latest first. */
  readonly sessions: readonly EndedSession[];
  readonly open: readonly OpenSession[];
}
