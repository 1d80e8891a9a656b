// In which order many things are looked at when there is no time for all: what is new and what is overdue in turn, so
// that neither a crowd of old ones hides a new one nor a stream of new ones the old.

/** What is known about when it was looked at; rounds are counted from 1. */
export interface Looked {
  /** Round in which it was seen for the first time, or became something new. */
  readonly since: number;
  /** Round of the last look; undefined: none since. */
  readonly last: number | undefined;
  /** It is due again after that many rounds. */
  readonly every: number;
  /** Goes before others that are as late. */
  readonly first: boolean;
}

/** So many rounds late is too late: by default ten seconds. */
export const tooLateRounds = 5;

/** By how many rounds it is late; 0 is in time, negative not yet due. */
export function lateness({ since, last, every }: Looked, round: number): number {
  return round - (last === undefined ? since : last + every);
}

export function isTooLate(looked: Looked, round: number): boolean {
  return lateness(looked, round) >= tooLateRounds;
}

/** Those that are due, the most urgent first. `things` have the oldest first. */
export function inOrder<Thing>(
  things: readonly Thing[],
  looked: (thing: Thing) => Looked,
  round: number,
): Thing[] {
  const due = things
    .map((thing) => ({ thing, looked: looked(thing), late: lateness(looked(thing), round) }))
    .filter(({ late }) => late >= 0);
  const preferred = (one: Looked, other: Looked) => Number(other.first) - Number(one.first);
  // The newest first, which stood last.
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
