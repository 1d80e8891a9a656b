// Goal: an agent that makes files in any number cannot fill coid's log with their names, and all of them are counted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ToldPaths } from './told-paths.ts';

const paths = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `/ws/${from + index}`);

test('each file is told once by its name', () => {
  const told = new ToldPaths();
  assert.deepEqual(told.news(['/a', '/b'], 2, 0), { named: ['/a', '/b'], more: undefined });
  assert.deepEqual(told.news(['/a', '/b', '/c'], 3, 1), { named: ['/c'], more: undefined });
});

test('after the first twenty there is one number a minute, however many names come and go', () => {
  const told = new ToldPaths();
  const first = told.news(paths(0, 1000), 1100, 0);
  assert.deepEqual([first.named.length, first.more], [20, 1080]);
  let lines = 0;
  for (let nowMs = 1000; nowMs <= 600_000; nowMs += 1000) {
    const { named, more } = told.news(paths(nowMs, nowMs + 1000), nowMs, nowMs);
    lines += named.length + (more === undefined ? 0 : 1);
  }
  assert.equal(lines, 10);
});

test('a number that was told and stays is not told again', () => {
  const told = new ToldPaths();
  told.news(paths(0, 100), 100, 0);
  assert.deepEqual(told.news(paths(0, 100), 100, 120_000), { named: [], more: undefined });
  assert.deepEqual(told.news(paths(0, 100), 101, 120_001), { named: [], more: 81 });
});
