// The composition root: everything that a command may touch, made by hand, the dear parts only when asked for.
import type { Coid } from './daemon/client.ts';
import type { Incus } from './incus/client.ts';
import type { Io } from './ui/io.ts';

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

export interface App {
  readonly io: Io;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly user: User;
  readonly version: string;
  /** `coi-` or `$COI_CONTAINER_PREFIX`. */
  readonly prefix: string;
  readonly clock: Clock;
  /** Aborted by SIGINT, SIGTERM and SIGHUP; its reason is a CoiError `cancelled`. */
  readonly signal: AbortSignal;
  /** The client for the Incus socket, made at the first call; connects when used. */
  incus(): Promise<Incus>;
  /** The client for coid's socket, likewise. */
  coid(): Promise<Coid>;
}
