// Options of a coid process.
import type { Incus } from '../incus/client.ts';
import type { Log } from './log.ts';

export interface DaemonOptions {
  readonly incus: Incus;
  readonly runDir: string;
  readonly stateDir: string;
  readonly version: string;
  readonly log: Log;
  /** Pid of this process. */
  readonly pid: number;
  /** Command that starts coi: argv without arguments. */
  readonly program: readonly string[];
  readonly now: () => Date;
  /** Monotonic. */
  readonly elapsedMs: () => number;
  /** Called once, when the socket is listening. */
  readonly ready?: (() => void) | undefined;
  /** Aborted when coid has to stop; sessions and their mounts stay. */
  readonly signal: AbortSignal;
  /** For tests: how long an unused reservation lives, and the interval of reconcile passes in addition to those after events. */
  readonly leaseMs?: number | undefined;
  readonly reconcileEveryMs?: number | undefined;
  /** For tests: a server that replaces the login providers. */
  readonly loginUrl?: string | undefined;
}
