// The order of reads when there is no time for all: alternates new and overdue items, so that neither many old ones hide
// a new one nor a stream of new ones hides the old.

/** When an item was read; rounds are counted from 1. */
export interface ReadState {
  /** The round in which it first appeared or changed its identity. */
  readonly since: number;
  /** The round of the last read since then, if any. */
  readonly last: number | undefined;
  /** Due again after this many rounds. */
  readonly every: number;
  /** Takes precedence over others that are equally late. */
  readonly first: boolean;
}

/** An item is too late after this many rounds: ten seconds by default. */
export const tooLateRounds = 5;

/** The number of rounds it is late; 0 is on time, negative is not yet due. */
export function lateness({ since, last, every }: ReadState, round: number): number {
  return round - (last === undefined ? since : last + every);
}

export function isTooLate(looked: ReadState, round: number): boolean {
  return lateness(looked, round) >= tooLateRounds;
}

/** The due items, the most urgent first. `things` are sorted oldest first. */
export function dueInOrder<Thing>(
  things: readonly Thing[],
  looked: (thing: Thing) => ReadState,
  round: number,
): Thing[] {
  const due = things
    .map((thing) => ({ thing, looked: looked(thing), late: lateness(looked(thing), round) }))
    .filter(({ late }) => late >= 0);
  const preferred = (one: ReadState, other: ReadState) => Number(other.first) - Number(one.first);
  // Newest first.
  const fresh = due
    .filter((one) => one.looked.last === undefined)
    .reverse()
    .sort((one, other) => preferred(one.looked, other.looked));
  const late = due.sort(
    (one, other) => other.late - one.late || preferred(one.looked, other.looked),
  );
  const order = new Set<Thing>();
  for (let index = 0; index < late.length; index += 1)
    for (const one of [fresh[index], late[index]]) if (one) order.add(one.thing);
  return [...order];
}
