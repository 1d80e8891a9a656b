// Dependencies of the use cases, created by the command line (src/cli/app.ts) or the library (src/index.ts). A use case
// prints nothing: it reports its progress and returns its result.
import type { Coid } from '../coid-api/client.ts';
import type { Incus } from '../incus/client.ts';
import type { StepEvent } from '../session/lifecycle/steps.ts';

export interface User {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly name: string;
}

export interface Clock {
  now(): Date;
  /** Milliseconds since the program started, monotonic. */
  elapsedMs(): number;
}

/** Receives the messages of a use case while it works; each has one or more lines. */
export interface Report {
  info(text: string): void;
  /** Details of each step, for scripts and for users who ask for them. */
  detail(text: string): void;
  warn(text: string): void;
  /** What the user should know before the agent starts to write. */
  setup(text: string): void;
}

/** Shows how many bytes have been transferred. */
export interface ByteProgress {
  readonly add: (bytes: number) => void;
  readonly done: () => number;
  readonly clear: () => void;
}

/** Shows the steps of one operation. */
export interface Progress {
  readonly update: (event: StepEvent) => void;
  /** The operation has ended, or other output follows. */
  readonly clear: () => void;
}

export interface AppContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly user: User;
  readonly version: string;
  /** `coi-` or `$COI_CONTAINER_PREFIX`. */
  readonly prefix: string;
  readonly clock: Clock;
  /** Aborted by SIGINT, SIGTERM and SIGHUP; its reason is a CoiError `cancelled`. */
  readonly signal: AbortSignal;
  readonly report: Report;
  readonly progress: () => Progress;
  /** Records a time stamp for COI_TIMING_DEBUG. */
  readonly mark: (name: string) => void;
  /** `totalBytes`: undefined if unknown. */
  readonly byteProgress: (title: string, totalBytes: number | undefined) => ByteProgress;
  /** The client for the Incus socket, created on the first call; connects on use. */
  incus(): Promise<Incus>;
  /** The client for coid's socket, created on the first call; connects on use. */
  coid(): Promise<Coid>;
  /** coi runs as a library (src/index.ts): argv belongs to another program, so coi cannot start itself from it. */
  readonly embedded: boolean;
}
