// What coi and coid say about what ended sessions left.

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
