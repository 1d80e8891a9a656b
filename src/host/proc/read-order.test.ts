// Order of checks if there is not enough time for all.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dueInOrder, isTooLate, lateness, type ReadState, tooLateRounds } from './read-order.ts';

interface Thing {
  readonly name: string;
  readonly looked: ReadState;
}

const thing = (name: string, looked: Partial<ReadState>): Thing => ({
  name,
  looked: { since: 1, last: undefined, every: 1, first: false, ...looked },
});
const names = (things: readonly Thing[], round: number) =>
  dueInOrder(things, ({ looked }) => looked, round).map(({ name }) => name);

test('the newest and the most overdue processes alternate', () => {
  const things = [
    thing('old', { last: 9 }),
    thing('late', { last: 4 }),
    thing('early', { since: 10 }),
    thing('newest', { since: 10 }),
  ];
  assert.deepEqual(names(things, 10), ['newest', 'late', 'early', 'old']);
});

test('priority processes precede equally late ones, and those not due are skipped', () => {
  const things = [
    thing('other', { last: 9 }),
    thing('shell', { last: 9, first: true }),
    thing('seldom', { last: 5, every: 8 }),
    thing('new', { since: 10 }),
    thing('new shell', { since: 10, first: true }),
    thing('newer', { since: 10 }),
  ];
  assert.deepEqual(names(things, 10), ['new shell', 'shell', 'newer', 'new', 'other']);
});

/** Rounds until the last process of a crowd was checked, with that many checks per round. */
function roundsToSee(crowd: number, looks: number, hidden: number, arriving: number): number {
  const last = new Map<number, number>();
  let [round, count] = [0, crowd];
  const since = new Map(Array.from({ length: crowd }, (_, pid) => [pid, 1]));
  while (!last.has(hidden)) {
    round += 1;
    const pids = Array.from({ length: count }, (_, pid) => pid);
    const looked = (pid: number) => ({
      since: since.get(pid) ?? round,
      last: last.get(pid),
      every: 1,
      first: false,
    });
    for (const pid of dueInOrder(pids, looked, round).slice(0, looks)) last.set(pid, round);
    for (let more = 0; more < arriving; more += 1) since.set(count + more, round + 1);
    count += arriving;
  }
  return round;
}

test('a crowd hides neither new nor old processes, and a stream of new ones does not hide old ones', () => {
  assert.equal(roundsToSee(2000, 100, 1999, 0), 1);
  assert.ok(roundsToSee(2000, 500, 1000, 0) <= 4);
  // As many arrive as are checked: the old ones get half of the checks.
  assert.ok(roundsToSee(1000, 200, 500, 200) <= 10);
});

test('a process is late five rounds after it was due', () => {
  const looked = { since: 1, last: 10, every: 8, first: false };
  assert.equal(lateness(looked, 18), 0);
  assert.equal(isTooLate(looked, 18 + tooLateRounds - 1), false);
  assert.equal(isTooLate(looked, 18 + tooLateRounds), true);
  assert.equal(isTooLate({ ...looked, last: undefined, since: 13 }, 18), true);
});
