// coi, killed at a call that it makes to Incus.
import type { Bed } from '../bed/bed.ts';
import { type Moment, openRelay } from '../bed/incus-relay.ts';

export const moments = ['before', 'answered'] as const satisfies Moment[];

/** At which calls that makes a difference. */
export const calls: Readonly<Record<(typeof moments)[number], RegExp>> = {
  before: /./,
  // After what only asks, the next call is reached the same.
  answered: /^(?:PATCH|PUT|POST|DELETE) /,
};

export interface Killed {
  readonly status: number;
  /** The call; undefined if there are fewer, and coi came through. */
  readonly at: string | undefined;
  /** What Incus got. */
  readonly delivered: readonly string[];
}

/** Runs coi, and kills it at its call of that number, of those that match. */
export async function killedAt(
  bed: Bed,
  args: readonly string[],
  nth: number,
  moment: (typeof moments)[number],
  which = calls[moment],
): Promise<Killed> {
  await using relay = await openRelay();
  const coi = bed.startCoi(args, { env: { INCUS_SOCKET: relay.socketPath } });
  const strike = relay.strikeAt(nth, moment, which, () => coi.kill('SIGKILL'));
  const { status } = await coi.result;
  return { status, at: strike.at, delivered: strike.delivered };
}
