// When `coi wait` returns.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Activity } from './activity.ts';
import { type WaitGoal, waitVerdict } from './wait.ts';

const verdict = (
  activity: Activity,
  goals: readonly WaitGoal[],
  { forMs = 0, ended = false }: { forMs?: number; ended?: boolean } = {},
) => waitVerdict({ activity, forMs, hasTurnEnded: () => ended }, goals);
const waiting = { kind: 'waiting' };
const idle: Activity = { kind: 'idle', why: 'finished' };

describe('the end of coi wait', () => {
  it('a state that is true already counts', () => {
    assert.deepEqual(verdict(idle, ['idle']), { kind: 'reached', goal: 'idle' });
    assert.deepEqual(verdict({ kind: 'asks', asks: [] }, ['idle']), waiting);
    assert.deepEqual(verdict({ kind: 'working' }, ['idle', 'asks', 'exit']), waiting);
    for (const kind of ['exited', 'stopped', 'ended'] as const)
      assert.deepEqual(verdict({ kind }, ['exit']), { kind: 'reached', goal: 'exit' });
  });

  it('a question that only the screen shows counts after a second: the transcript may name it', () => {
    const ask = { id: 'dialog', title: 'Claude Code shows a dialog', options: [] };
    const asks: Activity = { kind: 'asks', asks: [{ ...ask, kind: 'dialog' }] };
    const reached = { kind: 'reached', goal: 'asks' };
    assert.deepEqual(verdict(asks, ['asks'], { forMs: 999 }), waiting);
    assert.deepEqual(verdict(asks, ['asks'], { forMs: 1000 }), reached);
    const named: Activity = { kind: 'asks', asks: [{ ...ask, kind: 'question' }] };
    assert.deepEqual(verdict(named, ['asks']), reached);
  });

  it('an agent has ended a turn only if one has ended since the cursor', () => {
    assert.deepEqual(verdict(idle, ['turn-end']), waiting);
    const reached = { kind: 'reached', goal: 'turn-end' };
    assert.deepEqual(verdict(idle, ['turn-end'], { ended: true }), reached);
    assert.deepEqual(verdict({ kind: 'working' }, ['turn-end'], { ended: true }), reached);
    assert.deepEqual(verdict({ kind: 'working' }, ['turn-end']), waiting);
  });

  it('an end fails every other goal at once', () => {
    const failed = { kind: 'failed', why: 'ended' };
    assert.deepEqual(verdict({ kind: 'exited' }, ['idle', 'asks']), failed);
  });

  it('a paused or unknown session fails only after five seconds, because a snapshot pauses for a moment', () => {
    const paused: Activity = { kind: 'paused', by: 'user' };
    assert.deepEqual(verdict(paused, ['idle'], { forMs: 4999 }), waiting);
    assert.deepEqual(verdict(paused, ['idle'], { forMs: 5000 }), { kind: 'failed', why: 'paused' });
    const unknown: Activity = { kind: 'unknown', why: 'no-signal' };
    assert.deepEqual(verdict(unknown, ['idle'], { forMs: 4999 }), waiting);
    assert.deepEqual(verdict(unknown, ['idle'], { forMs: 5000 }), {
      kind: 'failed',
      why: 'unknown',
    });
    assert.deepEqual(
      verdict({ kind: 'unknown', why: 'starting' }, ['idle'], { forMs: 9999 }),
      waiting,
    );
  });

  it('the end of a session is known for every agent', () => {
    assert.deepEqual(
      verdict({ kind: 'unknown', why: 'no-signal' }, ['exit'], { forMs: 9999 }),
      waiting,
    );
  });
});
