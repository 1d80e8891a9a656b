// What a use case may touch of the world, made by whoever calls it: the command line (src/cli/app.ts) or the library
// (src/index.ts). A use case prints nothing: what happens on the way is reported, what comes of it is returned.
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

/** Takes what a use case reports while it works. One line of text each, or several. */
export interface Report {
  info(text: string): void;
  /** Said by every step: for scripts, and for people who ask for it. */
  detail(text: string): void;
  warn(text: string): void;
  /** What a person should know before the agent writes. */
  setup(text: string): void;
}

/** Shows how many bytes have come or gone. */
export interface ByteProgress {
  readonly add: (bytes: number) => void;
  readonly done: () => number;
  readonly clear: () => void;
}

/** Shows the steps of one piece of work. */
export interface Progress {
  readonly tell: (event: StepEvent) => void;
  /** The work is over, or something else is about to be shown. */
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
  /** Notes when something was reached, for COI_TIMING_DEBUG. */
  readonly mark: (name: string) => void;
  /** `totalBytes` undefined where it is not known. */
  readonly byteProgress: (title: string, totalBytes: number | undefined) => ByteProgress;
  /** The client for the Incus socket, made at the first call; connects when used. */
  incus(): Promise<Incus>;
  /** The client for coid's socket, likewise. */
  coid(): Promise<Coid>;
  /** Another program uses this one as a library (src/index.ts): argv is not ours, so nothing of ours is started from it. */
  readonly embedded: boolean;
}
