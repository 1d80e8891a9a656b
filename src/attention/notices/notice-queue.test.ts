import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { ActivityJson } from '../activity-text.ts';
import type { SessionEvent } from '../events/event.ts';
import { NoticeQueue, type NoticeRules, noticeKinds } from './notice-queue.ts';

const rules: NoticeRules = { on: noticeKinds, delayMs: 3000, perMinute: 6 };
const nobody = () => false;

function event(
  instance: string,
  attention: Partial<ActivityJson>,
  more: Partial<SessionEvent> = {},
): SessionEvent {
  return {
    ...{ v: 1, type: 'activity', at: '', from: 'working', container: `coi-${instance}`, alias: '' },
    ...{ slot: 1, tool: 'claude', workspace: '/w', session_id: '', instance },
    attention: { status: 'idle', asks: [], ...attention },
    ...more,
  } as SessionEvent;
}

function asking(instance: string, id = 'ask'): SessionEvent {
  const ask = { id, kind: 'permission', title: 'Bash', body: 'ls', truncated: false } as const;
  return event(instance, {
    status: 'asks',
    asks: [{ ...ask, options: [], multiple: false, sub_agent: false }],
  });
}

const finished = (instance: string, since: string) => event(instance, { why: 'finished', since });
const working = (instance: string) => event(instance, { status: 'working' });

/** What is told when the events come at these times. */
function told(
  events: readonly (readonly [number, SessionEvent])[],
  { isSeen = nobody, on = rules }: { isSeen?: (name: string) => boolean; on?: NoticeRules } = {},
): { kinds: string[]; heldBack: number } {
  const queue = new NoticeQueue();
  const kinds: string[] = [];
  let heldBack = 0;
  const take = (nowMs: number) => {
    const due = queue.take(on, nowMs, isSeen);
    kinds.push(...due.notices.map(({ kind, event }) => `${event.instance} ${kind}`));
    heldBack += due.heldBack;
  };
  for (const [ms, next] of events) {
    for (let due = queue.nextMs; due !== undefined && due <= ms; due = queue.nextMs) take(due);
    queue.add(next, on, ms);
  }
  for (let due = queue.nextMs; due !== undefined; due = queue.nextMs) take(due);
  return { kinds, heldBack };
}

test('a question is told after the delay, and one that is answered before is not', () => {
  assert.deepEqual(told([[0, asking('a')]]).kinds, ['a asks']);
  assert.deepEqual(
    told([
      [0, asking('a')],
      [2000, working('a')],
    ]).kinds,
    [],
  );
});

test('the same question is told once, another one again', () => {
  assert.deepEqual(
    told([
      [0, asking('a')],
      [5000, working('a')],
      [6000, asking('a')],
      [20_000, asking('a', 'other')],
    ]).kinds,
    ['a asks', 'a asks'],
  );
});

test('what the user did is not told', () => {
  for (const own of [
    event('a', { why: 'interrupted' }),
    event('a', { why: 'fresh' }),
    event('a', { status: 'paused', by: 'user' }),
    event('a', { status: 'ended' }, { type: 'ended' }),
    event('a', { why: 'finished' }, { type: 'created' }),
    event('a', { why: 'finished' }, { from: 'unknown' }),
  ])
    assert.deepEqual(told([[0, own]]).kinds, [], JSON.stringify(own.attention));
  assert.deepEqual(told([[0, event('a', { status: 'paused', by: 'monitor' })]]).kinds, [
    'a paused',
  ]);
  assert.deepEqual(told([[0, event('a', { status: 'exited', exit_status: 1 })]]).kinds, [
    'a exited',
  ]);
});

test('an agent that exits because its session ends is not told', () => {
  const ends = event('a', { status: 'ended' }, { type: 'ended' });
  assert.deepEqual(
    told([
      [0, event('a', { status: 'exited' })],
      [1000, ends],
    ]).kinds,
    [],
  );
});

test('nothing is told about a session that the user looks at, and only what the rules name', () => {
  const isSeen = (name: string) => name === 'coi-a';
  const both = [
    [0, asking('a')],
    [0, asking('b')],
  ] as const;
  assert.deepEqual(told(both, { isSeen }).kinds, ['b asks']);
  assert.deepEqual(told(both, { on: { ...rules, on: ['exited'] } }).kinds, []);
});

test('a session that changes all the time is told a few times a minute, and the rest is counted', () => {
  const events = Array.from({ length: 30 }, (_, index): [number, SessionEvent] => [
    index * 4000,
    finished('a', String(index)),
  ]);
  const { kinds, heldBack } = told(events);
  assert.ok(kinds.length >= 12 && kinds.length <= 18, String(kinds.length));
  assert.ok(heldBack > 0);
});

test('forty sessions that ask at once give at most thirty notices, and the rest is counted', () => {
  const queue = new NoticeQueue();
  for (let index = 0; index < 40; index += 1) queue.add(asking(`s${index}`), rules, 0);
  const { notices, heldBack } = queue.take(rules, 3000, nobody);
  assert.equal(notices.length, 30);
  assert.equal(heldBack, 10);
});

test('of any sequence of events, the last question that lasts is told', () => {
  const step = fc.tuple(
    fc.integer({ min: 3001, max: 60_000 }),
    fc.constantFrom('asks', 'works', 'ends a turn'),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      let ms = 0;
      const events = steps.map(([afterMs, what], index): [number, SessionEvent] => {
        ms += afterMs;
        if (what === 'asks') return [ms, asking('a', `ask-${index}`)];
        return [ms, what === 'works' ? working('a') : finished('a', String(index))];
      });
      const slow: NoticeRules = { ...rules, perMinute: 60 };
      const expected = steps.flatMap(([, what]) =>
        what === 'works' ? [] : [what === 'asks' ? 'a asks' : 'a finished'],
      );
      assert.deepEqual(told(events, { on: slow }).kinds, expected);
    }),
  );
});
