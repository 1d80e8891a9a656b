// Who is bringing a session up at this moment: its store must not get two containers, however close together two coi start.
import { CoiError } from '../../errors.ts';
import type { Incus } from '../../incus/client.ts';
import type { Instance } from '../../incus/shapes.ts';
import { tasksOf } from '../../session/lifecycle/incus-operations.ts';
import { isNewborn, sessionRecord } from '../../session/record/instance-record.ts';

/** A session of an owner, and who starts it. */
export interface Claim {
  /** A new container, or a stopped one again: the first is no claim on a container that is there by now. */
  readonly kind: 'new' | 'again';
  readonly ownerUid: number;
  readonly session: string;
  /** Of the start: the same start may ask more than once, another one of the same process may not have it. */
  readonly startId: string;
  /** Who starts it: dead, it holds nothing. */
  readonly pid: number;
}

export interface ClaimsParts {
  /** Monotonic milliseconds. */
  readonly elapsedMs: () => number;
  /** How long a start may take; a process that ends before gives up its claim by that. */
  readonly holdMs: number;
  readonly isAlive: (pid: number) => boolean;
}

interface Held {
  readonly container: string;
  readonly startId: string;
  readonly pid: number;
  readonly untilMs: number;
}

export class Claims {
  readonly #parts: ClaimsParts;
  readonly #held = new Map<string, Held>();

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  /** Throws `session-live`, naming the container, if another start is at it. */
  refuse(claim: Claim): void {
    const { elapsedMs, isAlive } = this.#parts;
    for (const [key, { untilMs, pid: holder }] of this.#held)
      if (untilMs <= elapsedMs() || !isAlive(holder)) this.#held.delete(key);
    const held = this.#held.get(keyOf(claim));
    if (held && held.startId !== claim.startId)
      throw sessionHeld(claim.session, held.container, 'is being started in');
  }

  /** Throws as `refuse`. */
  take(claim: Claim, container: string): void {
    this.refuse(claim);
    const untilMs = this.#parts.elapsedMs() + this.#parts.holdMs;
    const { startId, pid } = claim;
    this.#held.set(keyOf(claim), { container, startId, pid, untilMs });
  }

  /** That start has failed, so that the next one need not wait until its process ends. */
  giveUp(startId: string): void {
    for (const [key, held] of this.#held) if (held.startId === startId) this.#held.delete(key);
  }

  /** It has started, or never will: from here on the instance itself says who has the session. */
  settled(container: string): void {
    for (const [key, held] of this.#held) if (held.container === container) this.#held.delete(key);
  }
}

/**
 * The claim of who starts a stopped container again. Throws `session-live` if another start is at it, or still making
 * it: mounts and disk of that one must be left alone. Incus goes on with one whose maker was killed.
 */
export async function claimAgain(
  incus: Pick<Incus, 'query'>,
  claims: Pick<Claims, 'refuse' | 'take'>,
  instance: Instance,
  claim: Claim,
  signal: AbortSignal,
): Promise<void> {
  const { name } = instance;
  if (isNewborn(instance)) {
    claims.refuse({ ...claim, kind: 'new' });
    if ((await tasksOf(incus, name, signal)).length > 0)
      throw sessionHeld(claim.session, name, 'is being started in');
  }
  claims.take(claim, name);
}

/**
 * The instances as they are, none of which has that session. Throws `session-live`, naming the container, if one has.
 * What was remembered as its last container may be gone by now, so it is looked for again.
 */
export async function withoutSession(
  instances: readonly Instance[],
  again: () => Promise<readonly Instance[]>,
  claim: Claim,
): Promise<readonly Instance[]> {
  if (containerOf(instances, claim) === undefined) return instances;
  const now = await again();
  const container = containerOf(now, claim);
  if (container !== undefined) throw sessionHeld(claim.session, container, 'is live in');
  return now;
}

function containerOf(
  instances: readonly Instance[],
  { ownerUid, session }: Claim,
): string | undefined {
  return instances.find(({ config }) => {
    const record = sessionRecord(config);
    return record?.session === session && record.mounts.ownerUid === ownerUid;
  })?.name;
}

function sessionHeld(session: string, container: string, how: string): CoiError {
  return new CoiError('session-live', `session '${session}' ${how} ${container}`, {
    hint: `\`coi attach ${container}\` shows it; a second one is started by a plain \`coi shell\`.`,
  });
}

function keyOf({ kind, ownerUid, session }: Claim): string {
  return `${kind} ${ownerUid} ${session}`;
}
