// Runs coi and kills it at a given call to Incus.
import type { Bed } from '../bed/bed.ts';
import { type Moment, openRelay } from '../bed/incus-relay.ts';

export const moments = ['before', 'answered'] as const satisfies Moment[];

/** Calls at which that makes a difference. */
export const calls: Readonly<Record<(typeof moments)[number], RegExp>> = {
  before: /./,
  // After a query, the next call has the same state.
  answered: /^(?:PATCH|PUT|POST|DELETE) /,
};

export interface KilledRun {
  readonly status: number;
  /** The call; undefined if there are fewer and coi completed. */
  readonly at: string | undefined;
  /** Calls that Incus received. */
  readonly delivered: readonly string[];
}

/** Runs coi, and kills it at its matching call with that number. */
export async function killAtCall(
  bed: Bed,
  args: readonly string[],
  nth: number,
  moment: (typeof moments)[number],
  which = calls[moment],
): Promise<KilledRun> {
  await using relay = await openRelay();
  const coi = bed.startCoi(args, { env: { INCUS_SOCKET: relay.socketPath } });
  const strike = relay.strikeAt(nth, moment, which, () => coi.kill('SIGKILL'));
  const { status } = await coi.result;
  return { status, at: strike.at, delivered: strike.delivered };
}
