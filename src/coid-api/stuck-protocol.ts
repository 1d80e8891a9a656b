// Wire types for a killed container that does not stop.

/** POST /v1/containers/<name>/free, for a killed container that does not stop. */
export interface StuckRequest {
  /** Id of its mounts: by now another container may have its name. */
  readonly id: string;
}

/** A process in uninterruptible sleep. */
export interface BlockedProcess {
  readonly pid: number;
  readonly program: string;
  /** Kernel function; empty if unknown. */
  readonly waitsIn: string;
}

export interface StuckReply {
  /** Number of aborted FUSE connections that a process of the container served. */
  readonly aborted: number;
  readonly holders: readonly BlockedProcess[];
}
