// What is asked and answered about a container that is being killed and does not end.

/** POST /v1/containers/<name>/free, for one that is being killed and does not end. */
export interface StuckRequest {
  /** Of its mounts: another container may have the name by now. */
  readonly id: string;
}

/** A process that waits in the kernel where no signal reaches it. */
export interface Holder {
  readonly pid: number;
  readonly program: string;
  /** Function of the kernel; empty where that is not told. */
  readonly waitsIn: string;
}

export interface StuckReply {
  /** Connections of file systems that a process of the container served, and that were ended. */
  readonly aborted: number;
  readonly holders: readonly Holder[];
}
