// What coid is started with.
import type { Incus } from '../incus/client.ts';
import type { Log } from './log.ts';

export interface DaemonOptions {
  readonly incus: Incus;
  readonly runDir: string;
  readonly stateDir: string;
  readonly version: string;
  readonly log: Log;
  /** Of this process. */
  readonly pid: number;
  /** How coi is started: argv up to the arguments. */
  readonly program: readonly string[];
  readonly now: () => Date;
  /** Monotonic. */
  readonly elapsedMs: () => number;
  /** Called once, when the socket answers. */
  readonly ready?: (() => void) | undefined;
  /** Aborted when coid has to end; sessions and their mounts stay. */
  readonly signal: AbortSignal;
  /** For tests: how long an unused reservation is kept, and a look at everything that often besides those that events cause. */
  readonly leaseMs?: number | undefined;
  readonly reconcileEveryMs?: number | undefined;
  /** For tests: who answers in the place of the providers of logins. */
  readonly loginUrl?: string | undefined;
}
