// An agent that creates many files cannot fill coid's log with their names, but all of them are counted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReportedPaths } from './reported-paths.ts';

const paths = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `/ws/${from + index}`);

test('each file is reported once by name', () => {
  const reported = new ReportedPaths();
  assert.deepEqual(reported.update(['/a', '/b'], 2, 0), { named: ['/a', '/b'], more: undefined });
  assert.deepEqual(reported.update(['/a', '/b', '/c'], 3, 1), { named: ['/c'], more: undefined });
});

test('after twenty files only a count is reported once a minute', () => {
  const reported = new ReportedPaths();
  const first = reported.update(paths(0, 1000), 1100, 0);
  assert.deepEqual([first.named.length, first.more], [20, 1080]);
  let lines = 0;
  for (let nowMs = 1000; nowMs <= 600_000; nowMs += 1000) {
    const { named, more } = reported.update(paths(nowMs, nowMs + 1000), nowMs, nowMs);
    lines += named.length + (more === undefined ? 0 : 1);
  }
  assert.equal(lines, 10);
});

test('a reported count that does not change is not repeated', () => {
  const reported = new ReportedPaths();
  reported.update(paths(0, 100), 100, 0);
  assert.deepEqual(reported.update(paths(0, 100), 100, 120_000), { named: [], more: undefined });
  assert.deepEqual(reported.update(paths(0, 100), 101, 120_001), { named: [], more: 81 });
});
