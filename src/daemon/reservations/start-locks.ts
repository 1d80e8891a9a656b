// Locks on sessions that are being started: a session must never get two containers, even from simultaneous starts.
import { CoiError } from '../../errors.ts';
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { runningTasks } from '../../session/lifecycle/incus-operations.ts';
import { isNeverStarted, sessionRecord } from '../../session/record/instance-record.ts';

/** A session and the start that locks it. */
export interface StartLock {
  /** A new container, or the restart of a stopped one; the two do not exclude each other. */
  readonly kind: 'new' | 'again';
  readonly ownerUid: number;
  readonly session: string;
  /** Id of the start. It may acquire the lock repeatedly; another start of the same process may not. */
  readonly startId: string;
  /** The starting process; its death releases the lock. */
  readonly pid: number;
}

export interface StartLocksParts {
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number;
  /** How long a start may take before its lock expires. */
  readonly limitMs: number;
  readonly isAlive: (pid: number) => boolean;
}

interface HeldLock {
  readonly container: string;
  readonly startId: string;
  readonly pid: number;
  readonly untilMs: number;
}

export class StartLocks {
  readonly #parts: StartLocksParts;
  readonly #held = new Map<string, HeldLock>();

  constructor(parts: StartLocksParts) {
    this.#parts = parts;
  }

  /** Throws `session-live`, naming the container, if another start has the lock. */
  check(claim: StartLock): void {
    const { elapsedMs, isAlive } = this.#parts;
    for (const [key, { untilMs, pid: holder }] of this.#held)
      if (untilMs <= elapsedMs() || !isAlive(holder)) this.#held.delete(key);
    const held = this.#held.get(keyOf(claim));
    if (held && held.startId !== claim.startId)
      throw sessionLiveError(claim.session, held.container, 'is being started in');
  }

  /** Throws like `check`. */
  acquire(claim: StartLock, container: string): void {
    this.check(claim);
    const untilMs = this.#parts.elapsedMs() + this.#parts.limitMs;
    const { startId, pid } = claim;
    this.#held.set(keyOf(claim), { container, startId, pid, untilMs });
  }

  /** Releases the locks of a failed start, so that the next one need not wait for its process to end. */
  releaseStart(startId: string): void {
    for (const [key, held] of this.#held) if (held.startId === startId) this.#held.delete(key);
  }

  /** Releases the locks for a container that has started or failed: from here on the instance itself shows it. */
  releaseContainer(container: string): void {
    for (const [key, held] of this.#held) if (held.container === container) this.#held.delete(key);
  }
}

/**
 * Locks a session to restart its stopped container. Throws `session-live` if another start has the lock or is still
 * creating the container. Incus continues to create it even if its client was killed.
 */
export async function lockRestart(
  incus: Pick<Incus, 'query'>,
  startLocks: Pick<StartLocks, 'check' | 'acquire'>,
  instance: Instance,
  claim: StartLock,
  signal: AbortSignal,
): Promise<void> {
  const { name } = instance;
  if (isNeverStarted(instance)) {
    startLocks.check({ ...claim, kind: 'new' });
    if ((await runningTasks(incus, name, signal)).length > 0)
      throw sessionLiveError(claim.session, name, 'is being started in');
  }
  startLocks.acquire(claim, name);
}

/**
 * Returns current instances, none of which has that session. Throws `session-live`, naming the container, if one has it.
 * A cached container may be gone by now, so the list is fetched again in that case.
 */
export async function requireNotLive(
  instances: readonly Instance[],
  again: () => Promise<readonly Instance[]>,
  claim: StartLock,
): Promise<readonly Instance[]> {
  if (containerOf(instances, claim) === undefined) return instances;
  const now = await again();
  const container = containerOf(now, claim);
  if (container !== undefined) throw sessionLiveError(claim.session, container, 'is live in');
  return now;
}

function containerOf(
  instances: readonly Instance[],
  { ownerUid, session }: StartLock,
): string | undefined {
  return instances.find(({ config }) => {
    const record = sessionRecord(config);
    return record?.session === session && record.mounts.ownerUid === ownerUid;
  })?.name;
}

function sessionLiveError(session: string, container: string, how: string): CoiError {
  return new CoiError('session-live', `session '${session}' ${how} ${container}`, {
    hint: `Run \`coi attach ${container}\` to open it, or a plain \`coi shell\` for a second session.`,
  });
}

function keyOf({ kind, ownerUid, session }: StartLock): string {
  return `${kind} ${ownerUid} ${session}`;
}
