import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ActivityJson } from '../activity-text.ts';
import { changesBetween } from './changes.ts';
import { cursorOf, isLogFile, nextLogFile, parseCursor } from './cursor.ts';
import { foldEvents, parseEvent, type SessionState } from './event.ts';

const at = '2026-11-30T10:00:00.000Z';

function session(instance: string, attention: Partial<ActivityJson>): SessionState {
  return {
    ...{ container: `coi-${instance}`, alias: '', slot: 1, tool: 'claude', workspace: '/w' },
    ...{ session_id: `s-${instance}`, instance },
    attention: { status: 'idle', asks: [], ...attention },
  };
}

function byInstance(...states: SessionState[]): Map<string, SessionState> {
  return new Map(states.map((state) => [state.instance, state]));
}

const ask = {
  kind: 'permission',
  body: '',
  truncated: false,
  options: [],
  multiple: false,
  sub_agent: false,
} as const;

test('new, changed and ended sessions are events, and folding the events gives the sessions', () => {
  const before = byInstance(session('a', { status: 'working' }), session('b', {}));
  const asks = [{ ...ask, id: 'x', title: 'Bash' }];
  const now = byInstance(session('a', { status: 'asks', asks }), session('c', {}));
  const events = changesBetween(before, now, at);
  assert.deepEqual(
    events.map(({ type, instance, from }) => [type, instance, from]),
    [
      ['ended', 'b', 'idle'],
      ['activity', 'a', 'working'],
      ['created', 'c', undefined],
    ],
  );
  assert.deepEqual(foldEvents(before, events), now);
  assert.deepEqual(changesBetween(now, now, at), []);
});

test('another end of a turn is an event, another time of the same work is none', () => {
  const change = (one: Partial<ActivityJson>, other: Partial<ActivityJson>) =>
    changesBetween(byInstance(session('a', one)), byInstance(session('a', other)), at).length;
  assert.equal(change({ since: '1', why: 'finished' }, { since: '2', why: 'finished' }), 1);
  assert.equal(change({ status: 'working', since: '1' }, { status: 'working', since: '2' }), 0);
  const asks = (id: string) => ({ status: 'asks', asks: [{ ...ask, id, title: 'Bash' }] }) as const;
  assert.equal(change(asks('1'), asks('2')), 1);
  assert.equal(change({ ...asks('1'), since: '1' }, { ...asks('1'), since: '2' }), 0);
});

test('events survive the log, and other lines are left out', () => {
  const [event] = changesBetween(new Map(), byInstance(session('a', {})), at);
  assert.deepEqual(parseEvent(JSON.stringify(event)), event);
  const snapshot = { v: 1, type: 'snapshot', at, sessions: [session('a', {})] };
  assert.deepEqual(parseEvent(JSON.stringify(snapshot)), snapshot);
  for (const line of [
    '',
    'null',
    '{"v":1',
    JSON.stringify({ ...event, v: 2 }),
    JSON.stringify({ ...event, type: 'other' }),
    JSON.stringify({ ...event, attention: {} }),
    JSON.stringify({ ...snapshot, sessions: [{}] }),
  ])
    assert.equal(parseEvent(line), undefined, line);
});

test('cursors name a file of the log and an offset', () => {
  const first = nextLogFile(undefined, 'a0a0a0a0');
  assert.equal(first, '00000001-a0a0a0a0');
  const second = nextLogFile(first, 'b1b1b1b1');
  assert.ok(second > first && isLogFile(second));
  assert.deepEqual(parseCursor(cursorOf({ file: second, offset: 12 })), {
    file: second,
    offset: 12,
  });
  for (const text of ['', '1:2', `${first}`, `${first}:-1`, `../${first}:1`])
    assert.throws(() => parseCursor(text), /invalid cursor/);
});
