// The order of the sessions in the overview.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asking, nowMs, overviewOf, permission, row } from './fixtures.ts';
import { visibleRows } from './model.ts';

describe('the order', () => {
  const unseen = (called: string, minutes: number) =>
    row(
      called,
      { kind: 'idle', why: 'finished', sinceMs: nowMs - minutes * 60_000 },
      { unseen: true },
    );
  const rows = [
    row('e', { kind: 'working' }),
    row('d', { kind: 'idle', why: 'finished' }),
    unseen('c', 50),
    asking('b', [permission('1')], nowMs - 1000),
    asking('a', [permission('1')], nowMs - 90_000),
    row('f', { kind: 'paused', by: 'monitor', reason: 'Reverse shell' }),
    row('g', { kind: 'exited', status: 1 }),
  ];

  it('begins with who waits for the user, the longest first', () => {
    const names = visibleRows(overviewOf(rows)).map(({ called }) => called);
    assert.deepEqual(names, ['a', 'b', 'c', 'f', 'g', 'd', 'e']);
  });

  it('is the same for each workspace if grouped', () => {
    const same = rows.map((one, at) => ({ ...one, workspace: at % 2 === 0 ? '/one' : '/two' }));
    const names = visibleRows(overviewOf(same, { grouped: true })).map(({ called }) => called);
    assert.deepEqual(names, ['a', 'c', 'g', 'e', 'b', 'f', 'd']);
  });

  it('has only what fits all words of the filter', () => {
    const names = visibleRows(overviewOf(rows, { filter: 'asks B' })).map(({ called }) => called);
    assert.deepEqual(names, ['b']);
  });
});
